import { AwsError } from '../aws/errors.ts';
import { readBody } from '../aws/http.ts';
import type { RestService } from '../aws/server.ts';
import type { InvocationResult } from './environment.ts';

/** Runs a function by name; undefined when there is no such function. */
export type Invoke = (name: string, event: unknown) => Promise<InvocationResult> | undefined;

const maxEventBytes = 6 * 1024 * 1024;

/** Lambda's Invoke, so that `aws lambda invoke --endpoint-url …` runs a function by hand. */
export function lambdaService(invoke: Invoke): RestService {
  return async (request, response) => {
    const send = (status: number, body: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(body);
    };
    const fail = (code: string, message: string, status: number) =>
      send(status, JSON.stringify({ Type: 'User', Message: message }), {
        'x-amzn-errortype': code,
      });
    const [, , , encoded = '', action] = (request.url ?? '').split('?')[0]?.split('/') ?? [];
    // A function is named by its name or its ARN.
    const name = decodeURIComponent(encoded).split(':').at(-1) ?? '';
    try {
      const text = (await readBody(request, maxEventBytes)).toString('utf8');
      if (request.method !== 'POST' || action !== 'invocations') {
        fail('NotImplemented', 'Only Invoke is supported locally', 501);
        return 'unsupported';
      }
      const running = invoke(name, JSON.parse(text || '{}'));
      if (!running) {
        fail('ResourceNotFoundException', `Function not found: ${name}`, 404);
        return 'Invoke';
      }
      if (request.headers['x-amz-invocation-type'] === 'Event') {
        send(202, '');
        return 'Invoke';
      }
      const result = await running;
      const version = { 'x-amz-executed-version': '$LATEST' };
      if (result.ok) send(200, result.payload, version);
      else {
        send(200, JSON.stringify(result.error), {
          ...version,
          'x-amz-function-error': 'Unhandled',
        });
      }
    } catch (error) {
      if (error instanceof SyntaxError) fail('InvalidRequestContentException', error.message, 400);
      else if (error instanceof AwsError) fail(error.code, error.message, error.status);
      else throw error;
    }
    return 'Invoke';
  };
}
