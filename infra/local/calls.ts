import type { IncomingMessage } from 'node:http';

/**
 * Which AWS actions the functions used, and on what, in the terms of an IAM policy: a test compares them with the
 * policies in the template. A call is `<action> <resource>`, such as `s3:PutObject staging/parts/*`,
 * `sqs:SendMessage upload-queue` or `dynamodb:GetItem ledger/DOC#`.
 */
export class Calls {
  readonly #byCaller = new Map<string, Set<string>>();

  add(caller: string, call: string): void {
    const calls = this.#byCaller.get(caller) ?? new Set();
    this.#byCaller.set(caller, calls.add(call));
  }

  /** The calls of each function so far, sorted. */
  list(): Record<string, string[]> {
    return Object.fromEntries(
      [...this.#byCaller].map(([name, calls]) => [name, [...calls].sort()]),
    );
  }
}

/** The right that an S3 request needs, by https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html. */
export function s3Call({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  const [path = '', query = ''] = url.split('?');
  const [, bucket = '', ...key] = path.split('/');
  const parameters = new URLSearchParams(query);
  if (key.join('/') === '' && method === 'GET') return `s3:ListBucket ${bucket}`;
  // Below these two a key is a hash or a name; the inbox's own keys are anybody's.
  const folder = key.length > 1 ? `${key[0]}/*` : '*';
  return `s3:${s3Action(method, parameters)} ${bucket}/${folder}`;
}

function s3Action(method: string | undefined, query: URLSearchParams): string {
  if (query.has('tagging')) {
    const verb = method === 'GET' ? 'Get' : method === 'DELETE' ? 'Delete' : 'Put';
    return `${verb}Object${query.has('versionId') ? 'Version' : ''}Tagging`;
  }
  if (method === 'GET' || method === 'HEAD') {
    return query.has('versionId') ? 'GetObjectVersion' : 'GetObject';
  }
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return query.has('delete') ? 'DeleteObject' : 'PutObject';
}

/**
 * The right that a request of a JSON protocol needs; the resource is a queue's or a secret's name. For SQS a batch
 * needs the right of its single form.
 */
export function jsonCall(
  service: string,
  operation: string,
  input: Record<string, unknown>,
): string {
  const named = String(input.QueueUrl ?? input.SecretId ?? '');
  return `${service}:${operation.replace(/Batch$/, '')} ${named.split('/').at(-1)}`;
}

/** The rights that a request to DynamoDB needs: one for each kind of item, or one for an index. */
export function dynamoCalls(operation: string, body: string): string[] {
  const [, table = ''] = /"(?:TableName":|RequestItems":\{)"([^"]+)"/.exec(body) ?? [];
  const index = /"IndexName":"([^"]+)"/.exec(body)?.[1];
  if (index !== undefined) return [`dynamodb:${operation} ${table}/index/${index}`];
  // In a query the partition key is the value of the first placeholder.
  const keys = body.matchAll(/"(?:pk|:hash)":\{"S":"([^"#]*#?)/g);
  const kinds = new Set([...keys].map(([, kind]) => kind));
  // A scan of the table is about every kind.
  if (kinds.size === 0) return [`dynamodb:${operation} ${table}`];
  return [...kinds].map((kind) => `dynamodb:${operation} ${table}/${kind}`);
}

/** The function that signed a request, by its access key id. Not proven: for what is only counted. */
export function signerOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /Credential=local-([^/]+)\//.exec(headers.authorization ?? '')?.[1];
}
