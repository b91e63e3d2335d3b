import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../shared/formats/limits.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { type RenderTools, render } from '../../shared/steps/render.ts';
import { changed } from '../ledger/support.ts';
import { type Shop, workshop } from './support.ts';

const pdf = Buffer.from('%PDF-1.7 printed');
const sha256 = createHash('sha256').update(pdf).digest('hex');
const small = { code: 'print.font_replaced', message: 'A font was replaced.' };
const found = { code: 'docx.drawings', message: 'The docx has drawings.' };

let shop: Shop;
let tools: RenderTools;
let printed: number;
beforeEach(async () => {
  shop = await workshop();
  printed = 0;
  tools = {
    ...shop.tools,
    limits: defaultLimits,
    print: async ({ outDir }) => {
      printed += 1;
      const path = join(outDir, 'printed.pdf');
      await writeFile(path, pdf);
      return {
        path,
        mimeType: 'application/pdf',
        pages: 3,
        imagesFound: 2,
        imagesKept: 1,
        warnings: [small],
      };
    },
  };
});

/** A docx that normalize has passed on to render. */
async function waiting(changes: Parameters<typeof tools.documents.move>[2] = {}) {
  const { etag, versionId } = shop.buckets.put('inbox', 'a.docx', Buffer.from('docx bytes'));
  const event = changed('01', { key: 'a.docx', etag, ...(versionId ? { versionId } : {}) });
  const { document } = await tools.documents.receive(event, 'default');
  const marked = await tools.documents.move(document, 'received', { rendering: true, ...changes });
  return marked ?? expect.unreachable('it is received');
}

const run = ({ documentId, order }: DocumentItem) =>
  render({ step: 'render', documentId, order }, tools);
const record = ({ documentId }: DocumentItem) => tools.documents.get(documentId);
const stagedAt = ({ documentId, order }: DocumentItem) => ({
  bucket: 'staging',
  key: `staged/${documentId}/${order}/${sha256}`,
});

describe('a docx that waits to be printed', () => {
  test('becomes a PDF that is staged, written down and sent to upload', async () => {
    const document = await waiting();

    expect(await run(document)).toEqual({ next: 'done' });

    const target = stagedAt(document);
    expect(await shop.buckets.getText(target)).toBe(pdf.toString());
    const after = await record(document);
    expect(after).toMatchObject({
      status: 'normalized',
      mimeType: 'application/pdf',
      block: 'document',
      contentSha256: sha256,
      source: { ...target, sizeBytes: pdf.length, filename: expect.stringMatching(/\.pdf$/) },
      attempts: { render: 1 },
    });
    expect(after?.rendering).toBeUndefined();
    const { documentId, order } = document;
    expect(shop.sent).toEqual([
      expect.objectContaining({ step: 'upload', documentId, order, contentSha256: sha256 }),
    ]);
  });

  test('keeps what normalize found and adds what the printer did', async () => {
    const document = await waiting({ fidelity: { route: 'docx→print', warnings: [found] } });

    await run(document);

    expect((await record(document))?.fidelity).toEqual({
      route: 'docx→print',
      imagesFound: 2,
      imagesKept: 1,
      pages: 3,
      warnings: [found, small],
    });
  });

  test('has a fidelity of its own where normalize left none', async () => {
    const document = await waiting();

    await run(document);

    expect((await record(document))?.fidelity).toEqual({
      route: 'docx→pdf',
      imagesFound: 2,
      imagesKept: 1,
      pages: 3,
      warnings: [small],
    });
  });

  test('is tried again when the printer fails, and nothing is sent', async () => {
    const document = await waiting();
    tools.print = () => Promise.reject(new Error('the browser died'));

    expect(await run(document)).toMatchObject({ next: 'retry' });

    expect(await record(document)).toMatchObject({
      status: 'received',
      rendering: true,
      attempts: { render: 1 },
      error: { code: 'render.internal', step: 'render' },
    });
    expect(shop.sent).toEqual([]);
  });

  test('fails with a code and advice when its PDF has no bytes', async () => {
    const document = await waiting();
    const { print } = tools;
    tools.print = async (input) => {
      const rendered = await print(input);
      await writeFile(rendered.path, '');
      return rendered;
    };

    expect(await run(document)).toEqual({ next: 'done' });

    const after = await record(document);
    expect(after).toMatchObject({ status: 'failed', error: { code: 'normalize.empty' } });
    expect(after?.error?.advice).toBeTruthy();
    expect(shop.sent).toEqual([]);
  });
});

describe('a message to render', () => {
  test('that comes twice prints once and sends the document to upload again', async () => {
    const document = await waiting();
    await run(document);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(printed).toBe(1);
    expect(shop.sent).toHaveLength(2);
    expect(shop.sent[1]).toEqual(shop.sent[0]);
  });

  test('about a version that a newer one replaced does nothing', async () => {
    const document = await waiting();
    await tools.documents.receive(changed('02', { key: 'a.docx' }), 'default');

    expect(await run(document)).toEqual({ next: 'done' });

    expect(printed).toBe(0);
    expect(shop.sent).toEqual([]);
  });

  test('about a document that is not known does nothing', async () => {
    const document = await waiting();

    const message = { step: 'render', documentId: 'unknown', order: document.order } as const;
    expect(await render(message, tools)).toEqual({ next: 'done' });

    expect(printed).toBe(0);
  });

  test('that was a dead letter and was retried has the document printed', async () => {
    const document = await waiting();
    await tools.documents.setAside(document, 'failed', {
      code: 'render.dead_letter',
      message: 'm',
      step: 'render',
      advice: 'a',
    });

    await run(document);

    const after = await record(document);
    expect(after).toMatchObject({ status: 'normalized', contentSha256: sha256 });
    expect(after?.error).toBeUndefined();
  });

  test('about a document that failed for another reason leaves it failed', async () => {
    const document = await waiting();
    await tools.documents.setAside(document, 'failed', {
      code: 'render.internal',
      message: 'm',
      step: 'render',
      advice: 'a',
    });

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'failed' });
    expect(printed).toBe(0);
  });
});
