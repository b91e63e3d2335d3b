import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError } from '../aws/errors.ts';
import { readBody } from '../aws/http.ts';
import { listen } from '../aws/server.ts';
import { guarded } from '../guard.ts';

/** The error that a function reports. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** Receives what the process of an execution environment reports. */
export interface RuntimeListener {
  /** The process is ready for an event; send it as `response`. */
  onNext(response: ServerResponse): void;
  onResponse(requestId: string, payload: string): void;
  onError(requestId: string, error: FunctionError): void;
  onInitError(error: FunctionError): void;
}

/** Lambda refuses larger responses of a function. */
const maxResponseBytes = 6 * 1024 * 1024;

/**
 * The Lambda Runtime API (2018-06-01) for all execution environments of the host. Each has its own address
 * below this server, `host:port/<id>`, which only it knows.
 */
export class RuntimeApi {
  readonly #listeners = new Map<string, RuntimeListener>();
  readonly #server = createServer(
    { keepAliveTimeout: 0 },
    guarded((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    }),
  );
  #port = 0;

  async start(): Promise<void> {
    // No time limit: a process may wait for its next event indefinitely.
    this.#server.requestTimeout = 0;
    this.#port = await listen(this.#server, 0);
  }

  /** @returns the value of AWS_LAMBDA_RUNTIME_API for this environment */
  register(id: string, listener: RuntimeListener): string {
    this.#listeners.set(id, listener);
    return `127.0.0.1:${this.#port}/${id}`;
  }

  unregister(id: string): void {
    this.#listeners.delete(id);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, id = '', version, scope, ...rest] = (request.url ?? '').split('/');
    const listener = this.#listeners.get(id);
    if (!listener || version !== '2018-06-01' || scope !== 'runtime') {
      response.writeHead(404).end();
      return;
    }
    const path = rest.join('/');
    if (request.method === 'GET' && path === 'invocation/next') {
      request.resume();
      listener.onNext(response);
      return;
    }
    const [kind, requestId = '', outcome] = rest;
    const body = await readBody(request, maxResponseBytes).catch((error: unknown) => {
      if (!(error instanceof AwsError)) throw error;
      return undefined;
    });
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (body === undefined) {
      listener.onError(requestId, {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `Response payload size exceeded ${maxResponseBytes} bytes`,
      });
    } else if (kind === 'invocation' && outcome === 'response') {
      listener.onResponse(requestId, body.toString('utf8'));
    } else if (kind === 'invocation' && outcome === 'error') {
      listener.onError(requestId, parseError(body));
    } else if (path === 'init/error') {
      listener.onInitError(parseError(body));
    }
  }
}

function parseError(body: Buffer): FunctionError {
  try {
    const { errorType, errorMessage, trace } = JSON.parse(body.toString('utf8'));
    return { errorType: String(errorType), errorMessage: String(errorMessage), trace };
  } catch {
    return { errorType: 'Runtime.Unknown', errorMessage: body.toString('utf8').slice(0, 1000) };
  }
}
