import type { IncomingMessage, RequestListener } from 'node:http';

/**
 * Keeps web pages out of the local servers. They listen on the loopback interface without passwords, so any
 * page in the user's browser can reach them: directly, with an `Origin` that is not theirs, or by DNS
 * rebinding, with a `Host` that is the page's own name. Command-line tools and SDKs send neither.
 */

/** Values of `Sec-Fetch-Site` for requests that no other site has caused. */
const ownSites = ['same-origin', 'none'];

/**
 * Why a request must not be answered, or undefined when it may be.
 * @param names host names of the server besides the address that the client connected to
 */
export function refusalOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  names: readonly string[] = [],
): string | undefined {
  const host = headers.host?.toLowerCase() ?? '';
  const hosts = [...loopback, addressOf(socket.localAddress ?? ''), ...names.map(addressOf)];
  if (!hosts.some((name) => host === `${name}:${socket.localPort}`)) {
    return 'the Host header is not the address of this server';
  }
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`) {
    return 'the Origin header is not this server';
  }
  // A browser sends no Origin with a GET for an image, a script or a link.
  const site = headers['sec-fetch-site'];
  if (site !== undefined && !ownSites.includes(String(site))) return 'another site asked for this';
  return undefined;
}

/**
 * Answers 403 to requests of web pages, without a CORS header, and passes the others on. The `Origin` of a page
 * of this server is not passed on: dynalite would answer that every origin may read.
 * @param names as for `refusalOf`
 */
export function guarded(handle: RequestListener, names: readonly string[] = []): RequestListener {
  return (request, response) => {
    const refusal = refusalOf(request, names);
    if (refusal === undefined) {
      delete request.headers.origin;
      return handle(request, response);
    }
    request.resume();
    const body = `Refused: ${refusal}. Local servers do not answer web pages.\n`;
    response.writeHead(403, { 'content-type': 'text/plain', connection: 'close' }).end(body);
  };
}

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/** An address as it is written in a `Host` header. */
function addressOf(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}
