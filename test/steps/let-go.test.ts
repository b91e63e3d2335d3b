import { expect, test } from 'vitest';
import { letGo } from '../../shared/steps/let-go.ts';
import { changed } from '../ledger/support.ts';
import { workshop } from './support.ts';

const contentSha256 = 'c'.repeat(64);

/** A version of a document that replaced one with the given changes. */
async function replaced(changes: { contentSha256?: string; hasParts?: boolean }) {
  const shop = await workshop();
  const { documents } = shop.tools;
  const { document: first } = await documents.receive(changed('01'), 'default');
  await documents.move(first, 'normalized', changes);
  const { document } = await documents.receive(changed('02'), 'default');
  return { ...shop, first, document, record: () => documents.get(document.documentId) };
}

test('sends a release for each content that past versions held, and forgets them', async () => {
  const { document, first, sent, record, tools } = await replaced({ contentSha256 });

  await letGo(document, tools);

  const { documentId } = document;
  expect(sent).toEqual([{ step: 'release', documentId, order: first.order, contentSha256 }]);
  expect((await record())?.releases).toBeUndefined();
});

test('retires the parts of past versions where nothing else is to be let go of', async () => {
  const { document, first, buckets, sent, record, tools } = await replaced({ hasParts: true });
  const announced: unknown[] = [];
  tools.announce = async (change) => {
    announced.push(change);
  };
  const key = `parts/${document.documentId}/${first.order}/b.txt`;
  buckets.put('staging', key, Buffer.from('b'));

  await letGo(document, tools);

  expect(announced).toMatchObject([{ kind: 'removed', key: 'a.txt!/b.txt' }]);
  expect(await buckets.head({ bucket: 'staging', key })).toBeUndefined();
  expect(sent).toEqual([]);
  expect((await record())?.retiresParts).toBeUndefined();
});

test('writes nothing for a version with nothing to let go of', async () => {
  const { document, sent, table, tools } = await replaced({});
  table.update = () => Promise.reject(new Error('a write'));

  await letGo(document, tools);

  expect(sent).toEqual([]);
});
