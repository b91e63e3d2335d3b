import { beforeEach, describe, expect, test } from 'vitest';
import type { ObjectChange } from '../../shared/journey/messages.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { changeOf, resend, waitsFor } from '../../shared/steps/resend.ts';
import { changed, impliedBy } from '../ledger/support.ts';
import { contentSha256, type Shop, uploaded, workshop } from './support.ts';

let shop: Shop;
let announced: ObjectChange[];
beforeEach(async () => {
  shop = await workshop();
  announced = [];
  shop.tools.announce = async (...changes) => {
    announced.push(...changes);
  };
});

const received = async (change: Partial<ObjectChange> = {}): Promise<DocumentItem> =>
  (await shop.tools.documents.receive(changed('01', change), 'default')).document;

describe('an open document is sent again', () => {
  test('by its event while normalize has not taken it', async () => {
    const document = await received();

    await resend(document, shop.tools);

    expect(announced).toEqual([changed('01')]);
    expect(shop.sent).toEqual([]);
    expect(waitsFor(document)).toBe('normalize');
  });

  test('with the parent, the depth and the profile that a part was announced with', async () => {
    const part = {
      key: 'a.zip!/b.txt',
      original: { bucket: 'staging', key: 'parts/b.txt' },
      parent: 'parent-id',
      depth: 1,
      profileAsked: 'contracts',
    };
    const document = await received(part);

    await resend(document, shop.tools);

    expect(announced).toEqual([expect.objectContaining(part)]);
  });

  test('to render while it waits to be printed', async () => {
    const document = await shop.tools.documents.move(await received(), 'received', {
      rendering: true,
    });
    if (!document) return expect.unreachable('it is received');

    await resend(document, shop.tools);

    const { documentId, order } = document;
    expect(shop.sent).toEqual([{ step: 'render', documentId, order }]);
    expect(announced).toEqual([]);
    expect(waitsFor(document)).toBe('render');
  });

  test('to upload, with its content, once it is normalized', async () => {
    const document = await shop.tools.documents.move(
      await received(),
      'normalized',
      impliedBy.normalized,
    );
    if (!document) return expect.unreachable('it is normalized');

    await resend(document, shop.tools);

    const { documentId, order } = document;
    const { contentSha256: sha256 } = impliedBy.normalized;
    expect(shop.sent).toEqual([{ step: 'upload', documentId, order, contentSha256: sha256 }]);
    expect(announced).toEqual([]);
    expect(waitsFor(document)).toBe('upload');
  });

  test('to summarize, with its content, once it is uploaded', async () => {
    const document = await uploaded(shop);

    await resend(document, shop.tools);

    const { documentId, order } = document;
    expect(shop.sent).toEqual([{ step: 'summarize', documentId, order, contentSha256 }]);
    expect(announced).toEqual([]);
    expect(waitsFor(document)).toBe('summarize');
  });
});

describe('a document that has ended', () => {
  test('waits for no step and is sent nowhere', async () => {
    const { document } = await shop.tools.documents.receive(
      changed('01', { kind: 'removed' }),
      'default',
    );

    await resend(document, shop.tools);

    expect(waitsFor(document)).toBeUndefined();
    expect(shop.sent).toEqual([]);
    expect(announced).toEqual([]);
  });

  test('is announced as removed if the object was removed', async () => {
    const { document } = await shop.tools.documents.receive(
      changed('01', { kind: 'removed' }),
      'default',
    );

    expect(changeOf(document)).toMatchObject({ kind: 'removed', key: 'a.txt', sequencer: '01' });
  });
});
