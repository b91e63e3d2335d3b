import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { ClaudeClient, type ClaudeOptions } from '../../shared/claude/client.ts';

/** A request as received, once complete. */
interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** A reply: a status with a JSON body, or whatever the function does. */
export type ServerAnswer =
  | { status?: number; headers?: Record<string, string>; json?: unknown; text?: string }
  | ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void);

export interface ApiServer {
  url: string;
  /** Complete requests, in order. */
  seen: Seen[];
  /** Number of connections accepted. */
  connections: number;
  /** Number of requests that ended incomplete. */
  aborted: number;
}

/**
 * A server that sends the replies in turn and then repeats the last one. Closed with its connections
 * when the test ends.
 */
export async function serve(...answers: ServerAnswer[]): Promise<ApiServer> {
  const server = await serveRaw((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('close', () => {
      if (!request.complete) server.aborted++;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks);
      server.seen.push({ method, url, headers, body });
      reply(answers[Math.min(server.seen.length, answers.length) - 1], request, response, body);
    });
  });
  return server;
}

/** A server whose handler gets requests before their body. */
export async function serveRaw(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ApiServer> {
  const http = createServer(handler);
  const sockets = new Set<Socket>();
  const server: ApiServer = { url: '', seen: [], connections: 0, aborted: 0 };
  http.on('connection', (socket) => {
    server.connections++;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => http.close(resolve));
  });
  return server;
}

function reply(
  answer: ServerAnswer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): void {
  if (answer === undefined) throw new Error('no answer was prepared');
  if (typeof answer === 'function') {
    answer(request, response, body);
    return;
  }
  const { status = 200, headers = {}, json, text = JSON.stringify(json) } = answer;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(text);
}

/** A client of the server that records its waits in `waits` instead of waiting. */
export function clientOf(
  server: { url: string },
  options: Partial<ClaudeOptions> = {},
): { client: ClaudeClient; waits: number[] } {
  const waits: number[] = [];
  const client = new ClaudeClient({
    baseUrl: server.url,
    apiKey: 'sk-test',
    dialect: 'ga',
    sleep: async (ms) => {
      waits.push(ms);
    },
    random: () => 0,
    ...options,
  });
  onTestFinished(() => client.close());
  return { client, waits };
}

/** The API's error body. */
export function errorJson(type: string, message = 'no', errorCode?: string): unknown {
  const details = errorCode === undefined ? {} : { details: { error_code: errorCode } };
  return { type: 'error', error: { type, message, ...details }, request_id: 'req_body' };
}

/** A file's metadata in the API's form. */
export function fileJson(id = 'file_1', more: Record<string, unknown> = {}): unknown {
  return {
    id,
    type: 'file',
    filename: 'a.pdf',
    mime_type: 'application/pdf',
    size_bytes: 3,
    created_at: '2026-11-22T10:00:00.123456Z',
    downloadable: false,
    expires_at: null,
    ...more,
  };
}

/** All items of an iteration. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The reason of a promise that must be rejected. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the promise was not rejected');
}

/**
 * A reply that never comes, to a caller whose timeout fires as soon as its request has arrived: no test
 * depends on the speed of the machine. Fakes the timers of the test.
 * @param timeoutMs the caller's timeout
 */
export function silentUntilTimeout(timeoutMs: number): ServerAnswer {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return () => {
    vi.advanceTimersByTime(timeoutMs);
  };
}
