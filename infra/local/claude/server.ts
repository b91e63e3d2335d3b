import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { guarded } from '../guard.ts';
import type { ApiCall, Reply } from './call.ts';
import { control } from './control.ts';
import { ApiError } from './errors.ts';
import { authenticate, checkBeta, checkEncoding, checkVersion } from './headers.ts';
import { findRoute, type Route } from './routes.ts';
import type { EmulatorState } from './state.ts';
import { ConnectionFault, pauseCall, strike } from './strike.ts';

/** The HTTP server: finds the route, checks the headers, writes replies, and applies faults to them. */

export function makeServer(state: EmulatorState): Server {
  const handle = guarded(
    (req, res) => {
      serve(state, req, res).catch((error: unknown) => {
        // Only a bug gets here: error replies and faults are handled inside.
        console.error('emulator:', error);
        res.destroy();
      });
    },
    [state.settings.host],
  );
  const server = createServer(handle);
  // An upload of 500 MB over a slow connection may take longer than Node's default of five minutes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  return server;
}

async function serve(
  state: EmulatorState,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const target = req.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const search = mark < 0 ? '' : target.slice(mark + 1);
  const query = new URLSearchParams(search);
  const method = req.method ?? 'GET';
  if (path.startsWith('/_emulator')) return control(state, req, res, path, query);

  const started = performance.now();
  const { route, id, allowed } = findRoute(method, path);
  const retryCount = Number(req.headers['x-stainless-retry-count'] ?? Number.NaN);
  const requestId = state.newId('req');
  const operation = route?.operation ?? 'unknown';
  const entry = state.journal.open({
    at: new Date(state.settings.now()).toISOString(),
    method,
    path,
    ...(search === '' ? {} : { query: search }),
    operation,
    requestId,
    ...(Number.isNaN(retryCount) ? {} : { retryCount }),
  });
  const call: ApiCall = {
    state,
    req,
    method,
    path,
    query,
    operation,
    id,
    requestId,
    shape: 'ga',
    headers: {},
    version: '',
    entry,
    fault: undefined,
  };
  res.on('close', () => {
    entry.durationMs = Math.round((performance.now() - started) * 10) / 10;
    if (!res.writableFinished) entry.delivered = false;
    if (!req.complete && entry.status === null) entry.aborted = true;
  });

  let reply: Reply;
  try {
    reply = await answer(call, route, allowed);
    await pauseCall(state, state.settings.latencyMs);
  } catch (error) {
    if (error instanceof ConnectionFault) return disconnect(call, res, error);
    if (!(error instanceof ApiError) && req.destroyed && !req.complete) return;
    reply = errorReply(call, error);
  }

  entry.status = reply.status ?? 200;
  try {
    await deliver(call, res, reply);
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error;
    disconnect(call, res, error);
  }
  // The unread rest of a rejected upload must not block the next request.
  if (!req.complete && !req.destroyed) req.resume();
}

function disconnect(call: ApiCall, res: ServerResponse, fault: ConnectionFault): void {
  const { stop } = call.state;
  if (fault.action === 'cut' || stop.aborted) {
    res.destroy();
    return;
  }
  stop.addEventListener('abort', () => res.destroy(), { once: true });
}

function errorReply(call: ApiCall, error: unknown): Reply {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, `The emulator failed: ${error instanceof Error ? error.stack : error}`);
  call.entry.errorType = known.type;
  call.entry.message = known.message;
  const code = known.details?.error_code;
  if (code !== undefined) call.entry.errorCode = code;
  return { status: known.status, headers: known.headers, json: known.body(call.requestId) };
}

async function answer(call: ApiCall, route: Route | undefined, allowed: string[]): Promise<Reply> {
  await strike(call);
  authenticate(call);
  checkVersion(call);
  if (!route) {
    throw allowed.length > 0
      ? new ApiError(405, 'Method Not Allowed', { headers: { allow: allowed.join(', ') } })
      : new ApiError(404, 'Not Found');
  }
  checkEncoding(call);
  if (route.files) {
    checkBeta(call);
    Object.assign(call.headers, call.state.rates.files());
  }
  return route.handle(call);
}

async function deliver(call: ApiCall, res: ServerResponse, reply: Reply): Promise<void> {
  const { fault, entry, state } = call;
  if (fault?.kind === 'lost_reply') {
    res.destroy();
    return;
  }
  const body = reply.body ?? Buffer.from(JSON.stringify(reply.json));
  const full = Buffer.isBuffer(body) ? body.length : body.sizeBytes;
  const half = Math.floor(full / 2);
  const sent = fault?.kind === 'malformed' || fault?.kind === 'cut_body' ? half : full;
  const type = reply.contentType ?? 'application/json';

  res.writeHead(reply.status ?? 200, {
    'content-type': type,
    // The length of a stream of events is not known in advance.
    ...(type.startsWith('text/event-stream')
      ? { 'cache-control': 'no-cache' }
      : { 'content-length': String(fault?.kind === 'malformed' ? half : full) }),
    'request-id': call.requestId,
    ...call.headers,
    ...reply.headers,
  });

  if (!Buffer.isBuffer(body)) {
    const source = createReadStream(body.path, { start: 0, end: Math.max(0, sent - 1) });
    entry.delivered = sent === full;
    // Ends early when the client disconnects; `close` records that in the journal.
    await pipeline(source, res, { end: sent === full }).catch(() => {});
    if (sent < full) res.destroy();
    return;
  }
  if (fault?.kind === 'cut_body') {
    res.write(body.subarray(0, half), () => res.destroy());
    return;
  }
  if (fault?.kind === 'slow_body') {
    const step = Math.max(1, Math.ceil(full / 10));
    for (let at = 0; at < full && !res.destroyed; at += step) {
      await pauseCall(state, (fault.delayMs ?? 1_000) / 10);
      res.write(body.subarray(at, at + step));
    }
    entry.delivered = !res.destroyed;
    res.end();
    return;
  }
  entry.delivered = true;
  res.end(body.subarray(0, sent));
}
