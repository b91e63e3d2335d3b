/**
 * Runs a function's bundle as the Lambda runtime does: asks the Runtime API for the next event, calls the
 * handler, posts the result. Ends when the API is gone. Imports only Node's own modules, so that the function
 * alone decides what else is loaded.
 */
import { existsSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

type Handler = (event: unknown, context: unknown) => unknown;

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true });

function call(method: string, path: string, body = '') {
  return new Promise<{ headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(`${api}/${path}`, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function errorBody(error: unknown): string {
  const known = error instanceof Error ? error : new Error(String(error));
  return JSON.stringify({
    errorType: known.name,
    errorMessage: known.message,
    trace: known.stack?.split('\n') ?? [],
  });
}

async function load(): Promise<Handler> {
  const [file = 'index', name = 'handler'] = (process.env._HANDLER ?? '').split('.');
  const root = process.env.LAMBDA_TASK_ROOT ?? '.';
  const path = ['mjs', 'js', 'cjs']
    .map((extension) => join(root, `${file}.${extension}`))
    .find((candidate) => existsSync(candidate));
  if (!path) throw new Error(`Cannot find module ${file} in ${root}`);
  const loaded = await import(pathToFileURL(path).href);
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler !== 'function') throw new Error(`${file}.${name} is not a function`);
  return handler;
}

async function run(): Promise<void> {
  let handler: Handler;
  try {
    handler = await load();
  } catch (error) {
    await call('POST', 'init/error', errorBody(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, text } = await call('GET', 'invocation/next');
    const id = String(headers['lambda-runtime-aws-request-id']);
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    process.env._X_AMZN_TRACE_ID = String(headers['lambda-runtime-trace-id']);
    const context = {
      awsRequestId: id,
      callbackWaitsForEmptyEventLoop: true,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      invokedFunctionArn: String(headers['lambda-runtime-invoked-function-arn']),
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    };
    try {
      const result = await handler(JSON.parse(text), context);
      await call('POST', `invocation/${id}/response`, JSON.stringify(result) ?? 'null');
    } catch (error) {
      console.error(error);
      await call('POST', `invocation/${id}/error`, errorBody(error));
    }
  }
}

// What a function writes is for this user only.
process.umask(0o077);

// The host holds the other end of stdin, so this process ends when the host does, however it ends.
process.stdin.resume().once('end', () => process.exit(0));
run().catch((error) => {
  console.error(error);
  process.exit(1);
});
