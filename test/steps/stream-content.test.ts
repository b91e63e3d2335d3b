import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { ObjectChanged, ObjectGone } from '../../shared/aws/objects.ts';
import { RejectDocument } from '../../shared/journey/errors.ts';
import { streamContent } from '../../shared/steps/stream-content.ts';
import type { ObjectStore } from '../../shared/steps/tools.ts';
import { sha256Of } from '../world/digest.ts';

const source = { bucket: 'inbox', key: 'a.txt', sizeBytes: 9, filename: 'a.txt' };
const { signal } = new AbortController();

/** A bucket whose only object arrives in `chunks`. */
function bucketOf(chunks: string[]) {
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const opened: unknown[][] = [];
  const open = async (...args: unknown[]) => {
    opened.push(args);
    return { body, sizeBytes: 9, contentType: undefined };
  };
  return { body, opened, tools: { objects: { open } as unknown as ObjectStore } };
}

/** Reads the stream to its end: what came, and what was thrown after it. */
async function read(stream: AsyncGenerator<Uint8Array>) {
  const came: string[] = [];
  try {
    for await (const chunk of stream) came.push(Buffer.from(chunk).toString());
    return { came, thrown: undefined };
  } catch (thrown) {
    return { came, thrown };
  }
}

test('yields every chunk in order', async () => {
  const { body, opened, tools } = bucketOf(['one', 'two', 'six']);

  const { came, thrown } = await read(streamContent(source, sha256Of('onetwosix'), tools, signal));

  expect(thrown).toBeUndefined();
  expect(came).toEqual(['one', 'two', 'six']);
  expect(opened).toEqual([[source, signal]]);
  expect(body.destroyed).toBe(true);
});

test('yields nothing for an empty object', async () => {
  const { tools } = bucketOf([]);

  expect(await read(streamContent(source, sha256Of(''), tools, signal))).toEqual({
    came: [],
    thrown: undefined,
  });
});

test('opens the object at the first read, not before', async () => {
  const { opened, tools } = bucketOf(['one']);

  const stream = streamContent(source, sha256Of('one'), tools, signal);
  expect(opened).toEqual([]);
  await stream.next();

  expect(opened).toHaveLength(1);
});

test('fails before the last chunk when the bytes are not those that were normalized', async () => {
  const { body, tools } = bucketOf(['one', 'two', 'six']);

  const { came, thrown } = await read(streamContent(source, sha256Of('onetwoten'), tools, signal));

  expect(came).toEqual(['one', 'two']);
  expect(thrown).toBeInstanceOf(RejectDocument);
  expect(thrown).toMatchObject({
    code: 'upload.source_changed',
    message: 'The bytes of a.txt are not those that were normalized.',
  });
  expect(body.destroyed).toBe(true);
});

test('closes the object when its reader stops early', async () => {
  const { body, tools } = bucketOf(['one', 'two', 'six']);
  const stream = streamContent(source, sha256Of('onetwosix'), tools, signal);
  await stream.next();

  await stream.return(undefined);

  expect(body.destroyed).toBe(true);
});

test.each([new ObjectGone('a.txt'), new ObjectChanged('a.txt')])(
  'rejects the document on %s, whose event is still to come',
  async (cause) => {
    const tools = { objects: { open: () => Promise.reject(cause) } as unknown as ObjectStore };

    const { thrown } = await read(streamContent(source, sha256Of('x'), tools, signal));

    expect(thrown).toBeInstanceOf(RejectDocument);
    expect(thrown).toMatchObject({
      code: 'upload.source_lost',
      message: 'The object was removed or overwritten before it could be uploaded.',
      cause,
    });
  },
);

test('passes the error on when S3 cannot be reached', async () => {
  const unreachable = new Error('ECONNREFUSED');
  const tools = { objects: { open: () => Promise.reject(unreachable) } as unknown as ObjectStore };

  const { thrown } = await read(streamContent(source, sha256Of('x'), tools, signal));

  expect(thrown).toBe(unreachable);
});
