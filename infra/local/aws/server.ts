import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Callers } from '../callers.ts';
import { type Calls, jsonCall, s3Call } from '../calls.ts';
import type { Counters } from '../counters.ts';
import { guarded } from '../guard.ts';
import { AwsError } from './errors.ts';
import { header, readBody } from './http.ts';

/**
 * Answers one operation of an AWS JSON protocol.
 * @param signal aborts when the client disconnects
 * @param caller name of the function that asks; undefined for other clients
 */
export type JsonService = (
  operation: string,
  input: Record<string, unknown>,
  signal: AbortSignal,
  caller: string | undefined,
) => Promise<unknown>;

/** Answers REST requests (S3, Lambda). Returns the operation's name, for the counters. */
export type RestService = (request: IncomingMessage, response: ServerResponse) => Promise<string>;

export interface AwsServices {
  sqs: JsonService;
  secretsManager: JsonService;
  lambda: RestService;
  s3: RestService;
  counters: Counters;
  callers: Callers;
  calls: Calls;
  /** Called with faults of the services themselves. */
  onError: (error: unknown) => void;
}

export interface AwsServer {
  url: string;
  close(): Promise<void>;
}

const maxJsonBytes = 4 * 1024 * 1024;

const jsonTargets = {
  AmazonSQS: 'sqs',
  secretsmanager: 'secretsManager',
} as const;

/**
 * One port for S3, SQS, Secrets Manager and Lambda's Invoke, on the loopback interface only. `x-amz-target`
 * (JSON protocols) or the path selects the service. Signatures are not checked; web pages are refused.
 * @param port wanted port; another free one when it is taken
 */
export async function startAwsServer(services: AwsServices, port: number): Promise<AwsServer> {
  const handle = guarded((request, response) => {
    answer(services, request, response).catch((error: unknown) => {
      services.onError(error);
      response.destroy();
    });
  });
  const server = createServer({ keepAliveTimeout: 60_000 }, handle);
  // No time limit on a whole request: uploads may be slow.
  server.requestTimeout = 0;
  const bound = await listen(server, port);
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listens on 127.0.0.1, on any free port when the wanted one is taken. @returns the port */
export async function listen(
  server: ReturnType<typeof createServer>,
  wanted: number,
): Promise<number> {
  const attempt = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    await attempt(wanted);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (wanted === 0 || (code !== 'EADDRINUSE' && code !== 'EACCES')) throw error;
    await attempt(0);
  }
  return (server.address() as AddressInfo).port;
}

async function answer(
  services: AwsServices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = header(request, 'x-amz-target');
  if (target !== undefined) return answerJson(services, target, request, response);
  const path = request.url ?? '/';
  if (header(request, 'content-type')?.startsWith('application/x-www-form-urlencoded')) {
    await readBody(request, maxJsonBytes);
    response.writeHead(400, { 'content-type': 'text/xml' });
    response.end(
      '<ErrorResponse><Error><Type>Sender</Type><Code>UnsupportedProtocol</Code><Message>This local endpoint speaks the AWS JSON protocol only; update your AWS CLI or SDK (SQS moved to JSON in late 2023)</Message></Error></ErrorResponse>',
    );
    return;
  }
  if (path.startsWith('/2015-03-31/functions/')) {
    services.counters.add(`lambda ${await services.lambda(request, response)}`);
    return;
  }
  const caller = services.callers.of(request);
  if (caller !== undefined) services.calls.add(caller, s3Call(request));
  services.counters.add(`s3 ${await services.s3(request, response)}`);
}

async function answerJson(
  services: AwsServices,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [prefix = '', operation = ''] = target.split('.');
  const gone = new AbortController();
  response.once('close', () => {
    // Aborting makes an error with its trace, which an answered request does not need.
    if (!response.writableFinished) gone.abort();
  });
  const type = header(request, 'content-type') ?? 'application/x-amz-json-1.0';
  const send = (status: number, body: unknown, errorType?: string) => {
    if (response.destroyed) return;
    response.writeHead(status, {
      'content-type': type,
      'x-amzn-requestid': randomUUID(),
      ...(errorType ? { 'x-amzn-errortype': errorType } : {}),
    });
    response.end(JSON.stringify(body));
  };
  const fail = (code: string, message: string, status: number) =>
    send(status, { __type: code, message, Message: message }, code);

  const name = jsonTargets[prefix as keyof typeof jsonTargets];
  if (!name) {
    await readBody(request, maxJsonBytes);
    const hint = prefix.startsWith('DynamoDB') ? '; DynamoDB has its own endpoint' : '';
    return fail(
      'UnknownOperationException',
      `${target} is not available at this endpoint${hint}`,
      400,
    );
  }
  const service = name === 'sqs' ? 'sqs' : 'secretsmanager';
  try {
    const text = (await readBody(request, maxJsonBytes)).toString('utf8');
    services.counters.add(`${service} ${operation}`);
    let input: Record<string, unknown>;
    try {
      input = JSON.parse(text || '{}');
    } catch {
      return fail('SerializationException', 'The request is not JSON', 400);
    }
    const caller = services.callers.of(request);
    if (caller !== undefined) services.calls.add(caller, jsonCall(service, operation, input));
    send(200, await services[name](operation, input, gone.signal, caller));
  } catch (error) {
    if (error instanceof AwsError) return fail(error.code, error.message, error.status);
    services.onError(error);
    fail('InternalFailure', 'The local service failed; see its log', 500);
  }
}
