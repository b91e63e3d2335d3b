import type { ApiCall } from './call.ts';
import { invalid, tooLarge } from './errors.ts';
import { ConnectionFault, pauseCall } from './strike.ts';

/** The request's body. The reader may stop early and still answer on the same connection. */
export async function* bodyOf(call: ApiCall): AsyncGenerator<Buffer, void> {
  let read = 0;
  const chunks: AsyncIterable<Buffer> = call.req.iterator({ destroyOnReturn: false });

  for await (const chunk of chunks) {
    read += chunk.length;
    if (call.fault?.kind === 'cut_upload' && read > (call.fault.afterBytes ?? 0)) break;
    yield chunk;
    if (call.fault?.kind === 'slow_upload') await pauseCall(call.state, call.fault.delayMs ?? 10);
  }
  if (call.fault?.kind === 'cut_upload') throw new ConnectionFault('cut');
}

/** Reads a JSON body. Throws 400 when it is not JSON, 413 above `limit` bytes. */
export async function readJson(call: ApiCall, limit: number): Promise<unknown> {
  const type = call.req.headers['content-type'];
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(type ?? '')) {
    throw invalid('content-type: must be application/json');
  }
  const tooMuch = () => tooLarge(`Request exceeds the maximum size of ${limit} bytes`);
  if (Number(call.req.headers['content-length'] ?? 0) > limit) throw tooMuch();

  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(call)) {
    size += chunk.length;
    if (size > limit) throw tooMuch();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw invalid('The request body is not valid JSON');
  }
}
