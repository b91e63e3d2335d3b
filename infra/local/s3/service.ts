import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../aws/errors.ts';
import { header } from '../aws/http.ts';
import type { RestService } from '../aws/server.ts';
import { requestIds } from './events.ts';
import { listObjectsV1, listObjectsV2, listVersions } from './list.ts';
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  putPart,
} from './multipart.ts';
import { readObject } from './read.ts';
import { parseS3Request, type S3Context, type S3Request, send, sendXml } from './request.ts';
import { deleteTagging, getTagging, putTagging } from './tagging.ts';
import { copyObject, deleteObject, deleteObjects, putObject } from './write.ts';
import { renderError } from './xml.ts';

type Handler = (context: S3Context, call: S3Request) => Promise<void> | void;

/** Sub-resources that are refused: ignoring their query would silently do something else. */
const unsupported = [
  'acl',
  'attributes',
  'cors',
  'encryption',
  'legal-hold',
  'lifecycle',
  'notification',
  'object-lock',
  'policy',
  'replication',
  'restore',
  'retention',
  'select',
  'torrent',
  'website',
];

const bucketOperations: Record<string, [string, Handler]> = {
  'GET location': ['GetBucketLocation', (_, call) => sendXml(call, 'LocationConstraint', {})],
  'GET versioning': ['GetBucketVersioning', getVersioning],
  'GET versions': ['ListObjectVersions', listVersions],
  'GET uploads': ['ListMultipartUploads', listUploads],
  'GET list-type': ['ListObjectsV2', listObjectsV2],
  'GET ': ['ListObjects', listObjectsV1],
  'HEAD ': ['HeadBucket', headBucket],
  'POST delete': ['DeleteObjects', deleteObjects],
};

const objectOperations: Record<string, [string, Handler]> = {
  'GET tagging': ['GetObjectTagging', getTagging],
  'GET uploadId': ['ListParts', listParts],
  'GET ': ['GetObject', readObject],
  'HEAD ': ['HeadObject', readObject],
  'PUT tagging': ['PutObjectTagging', putTagging],
  'PUT uploadId': ['UploadPart', putPart],
  'PUT ': ['PutObject', putObject],
  'POST uploads': ['CreateMultipartUpload', createUpload],
  'POST uploadId': ['CompleteMultipartUpload', completeUpload],
  'DELETE tagging': ['DeleteObjectTagging', deleteTagging],
  'DELETE uploadId': ['AbortMultipartUpload', abortUpload],
  'DELETE ': ['DeleteObject', deleteObject],
};

/**
 * The S3 API on local files: objects with versions, tags, conditions and ranges, copies, multipart
 * uploads, lists and deletes, path style. Everything else is refused with NotImplemented.
 */
export function s3Service(context: S3Context): RestService {
  return async (request, response) => {
    try {
      const call = parseS3Request(request, response);
      const [name, handler] = route(call);
      await handler(context, call);
      return name;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      await refuse(request, response, error);
      return error.code;
    }
  };
}

/** @throws {AwsError} NotImplemented */
function route(call: S3Request): [string, Handler] {
  const { request, query, bucket, key } = call;
  const method = request.method ?? '';
  if (bucket === '' && method === 'GET') return ['ListBuckets', listBuckets];
  const table = key === '' ? bucketOperations : objectOperations;
  if (key !== '' && method === 'PUT' && header(request, 'x-amz-copy-source') !== undefined) {
    if (query.has('uploadId')) return ['UploadPartCopy', putPart];
    if (![...query.keys()].some((name) => unsupported.includes(name))) {
      return ['CopyObject', copyObject];
    }
  }
  for (const name of query.keys()) {
    if (unsupported.includes(name)) throw notImplemented(`${method} ?${name}`);
    const found = table[`${method} ${name}`];
    if (found) return found;
  }
  const found = table[`${method} `];
  if (!found) throw notImplemented(`${method} of ${key === '' ? 'a bucket' : 'an object'}`);
  return found;
}

function listBuckets({ store }: S3Context, call: S3Request): void {
  sendXml(call, 'ListAllMyBucketsResult', {
    Owner: { ID: 'local', DisplayName: 'local' },
    Buckets: {
      Bucket: store.buckets().map(({ name }) => ({
        Name: name,
        CreationDate: new Date(0).toISOString(),
      })),
    },
  });
}

function headBucket({ store, region }: S3Context, call: S3Request): void {
  store.bucket(call.bucket);
  send(call, 200, { 'x-amz-bucket-region': region });
}

function getVersioning({ store }: S3Context, call: S3Request): void {
  const { versioned } = store.bucket(call.bucket);
  sendXml(call, 'VersioningConfiguration', versioned ? { Status: 'Enabled' } : {});
}

const notImplemented = (what: string) =>
  new AwsError(
    'NotImplemented',
    `${what} is not implemented by the local S3; buckets and their settings come from the stack's template`,
    501,
  );

async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: AwsError,
): Promise<void> {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const ids = requestIds();
  const body =
    request.method === 'HEAD'
      ? ''
      : renderError(
          error.code,
          error.message,
          (request.url ?? '').split('?')[0] ?? '',
          ids['x-amz-request-id'],
        );
  response.writeHead(error.status, {
    ...ids,
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
  // The rest of the body is read; closing early would hide the response from the client.
  if (!request.readableEnded) request.resume();
}
