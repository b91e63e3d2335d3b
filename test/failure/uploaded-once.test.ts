import { afterEach, expect, test } from 'vitest';
import {
  begin,
  deadLetterTwin,
  drop,
  first,
  normalizeOne,
  pausedBefore,
  status,
  uploadOne,
  waitsForUpload,
  world,
} from './support.ts';

/*
 * Content that does not change is uploaded once, however late its messages come. A review of the protocol found
 * each case, and each failed before its rule was written.
 */

afterEach(() => world.close());

/** The body of the message that waits in the upload queue. */
const uploadMessage = (): string => world.queues.upload.messages[0]?.body ?? '';

/** The file is dropped again, unchanged; its event is applied. */
async function droppedAgain(): Promise<void> {
  drop('a.txt', first);
  await normalizeOne();
}

async function expectOneUpload(): Promise<void> {
  expect(await status('a.txt')).toBe('ready');
  expect(world.calls('files.upload')).toHaveLength(1);
}

test('a file is uploaded once although its message is delivered again after the file was dropped again', async () => {
  await begin();
  await waitsForUpload();
  const body = uploadMessage();
  await world.drain();

  await droppedAgain();
  world.queues.upload.messages.unshift({ id: 'late', body, visibleAt: 0, receives: 0 });
  await world.drain();

  await expectOneUpload();
});

test('a file is uploaded once although it is dropped again unchanged during the upload', async () => {
  await begin();
  await waitsForUpload();

  const uploading = await pausedBefore('claude.uploadFile', (gate) => uploadOne({ gate }));
  await droppedAgain();
  await uploading.resume();
  await world.drain();

  await expectOneUpload();
});

test('a file is uploaded once although the reconciler finds a dead letter of the version before', async () => {
  await begin();
  await waitsForUpload();
  const body = uploadMessage();
  await world.drain();

  await droppedAgain();
  deadLetterTwin('upload', body);
  await world.reconcile();
  await world.drain();

  await expectOneUpload();
});

test('a dead letter of the normalize step does not fail a document that is being printed', async () => {
  await begin();
  const event = world.drop('a.txt', first);
  world.deliver(event);
  await normalizeOne({ kill: { call: 1, when: 'before' } });
  const document = await world.record('a.txt');
  if (!document) throw new Error('no record');
  await world.documents.move(document, 'received', { rendering: true });
  world.queues.intake.messages.splice(0);
  deadLetterTwin('intake', event.body);

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({});
  expect(await status('a.txt')).toBe('received');
});
