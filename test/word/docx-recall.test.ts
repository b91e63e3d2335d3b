import { describe, expect, it } from 'vitest';
import { recallOf, wordsOfDocx } from '../corpus/word-recall.ts';
import { servicesAgreement } from '../fixtures/agreement.ts';
import { illustratedReport, reviewedDraft } from '../fixtures/documents.ts';
import { p, rawDocx } from '../fixtures/ooxml.ts';
import { convertBytes } from '../formats/convert-bytes.ts';

describe('word recall of docx against its own XML', () => {
  it.each([
    ['the services agreement', servicesAgreement],
    ['a reviewed draft in three sections and nine scripts', reviewedDraft],
  ])('is at least 0.99 for %s', async (_, make) => {
    const docx = await make();

    const { text } = await convertBytes('a.docx', docx);

    const { kept, words, lost } = recallOf(wordsOfDocx(docx), text);
    expect(words).toBeGreaterThan(100);
    expect(lost).toEqual([]);
    expect(kept / words).toBeGreaterThanOrEqual(0.99);
  });

  it('falls when a conversion loses a paragraph', () => {
    const docx = rawDocx(p('nine words are here and two of them lost') + p('gone away'));

    const { kept, words } = recallOf(wordsOfDocx(docx), 'nine words are here and two of them lost');

    expect([kept, words]).toEqual([9, 11]);
  });
});

describe('a report with pictures', () => {
  it('counts what it contains', async () => {
    const { conversion } = await convertBytes('a.docx', await illustratedReport());

    expect(conversion).toMatchObject({ outcome: 'render', fidelity: { imagesFound: 2 } });
    expect(conversion.fidelity.warnings[0]?.message).toContain(
      '2 pictures, 1 chart, 1 equation, 1 text box, 1 shape',
    );
  });
});
