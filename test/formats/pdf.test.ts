import { describe, expect, it } from 'vitest';
import { maintenanceReport } from '../fixtures/maintenance-pdf.ts';
import { encryptedPdf, onePage, rawPdf, scannedPdf, textPdf } from '../fixtures/pdfs.ts';
import { codeOf, convertBytes } from './convert-bytes.ts';

describe('a PDF', () => {
  it('passes unchanged, with its pages counted', async () => {
    const { conversion } = await convertBytes('report.pdf', await maintenanceReport());

    expect(conversion).toEqual({
      outcome: 'pass',
      mimeType: 'application/pdf',
      block: 'document',
      fidelity: { route: 'pdf', pages: 2, warnings: [] },
      parts: [],
    });
  });

  it('with many pages is checked in a few places', async () => {
    const { conversion, warnings } = await convertBytes('long.pdf', await textPdf(60));

    expect(conversion.fidelity.pages).toBe(60);
    expect(warnings).toEqual([]);
  });

  it('without a text layer passes with a warning', async () => {
    const { conversion, warnings } = await convertBytes('scan.pdf', await scannedPdf());

    expect(conversion.outcome).toBe('pass');
    expect(warnings).toEqual(['normalize.scan']);
  });

  it('gives the text of all its pages where it is wanted, and only there', async () => {
    const pdf = await textPdf(7);

    const { pages } = await convertBytes('a.pdf', pdf, { wantsText: true });

    expect(pages?.map((page) => page.slice(0, 7))).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((page) => `Page ${page}.`),
    );
    expect((await convertBytes('a.pdf', pdf)).pages).toBeUndefined();
  });

  it('that is a scan gives pages without text', async () => {
    expect((await convertBytes('a.pdf', await scannedPdf(), { wantsText: true })).pages).toEqual([
      '',
    ]);
  });

  it('with more pages than the limit is rejected', async () => {
    expect(
      await codeOf(convertBytes('long.pdf', await textPdf(4), { limits: { maxPages: 3 } })),
    ).toBe('normalize.too_many_pages');
  });
});

describe('an encrypted PDF', () => {
  it.each([
    ['with a password to open', 'secret'],
    ['with restrictions only, which opens without a password', undefined],
  ])('%s is rejected', async (_, user) => {
    expect(await codeOf(convertBytes('a.pdf', await encryptedPdf(user)))).toBe(
      'normalize.encrypted',
    );
  });
});

describe('a damaged PDF', () => {
  it.each([0.05, 0.3, 0.6, 0.9, 0.97])('cut off at %d of its length is rejected', async (share) => {
    const whole = await maintenanceReport();

    const code = await codeOf(
      convertBytes('a.pdf', whole.subarray(0, Math.floor(whole.length * share))),
    );

    expect(code).toBe('normalize.corrupt');
  });

  it('that says %PDF and nothing else is rejected', async () => {
    expect(await codeOf(convertBytes('a.pdf', Buffer.from('%PDF-1.7\nnothing\n%%EOF\n')))).toBe(
      'normalize.corrupt',
    );
  });

  it('whose index points nowhere passes with a warning', async () => {
    const pdf = rawPdf(onePage())
      .toString('latin1')
      .replace(/startxref\n\d+/, 'startxref\n7');

    const { conversion, warnings } = await convertBytes('a.pdf', Buffer.from(pdf, 'latin1'));

    expect(conversion).toMatchObject({ outcome: 'pass', fidelity: { pages: 1 } });
    expect(warnings).toEqual(['normalize.damaged']);
  });

  it('without pages is rejected', async () => {
    const objects = ['<</Type /Catalog /Pages 2 0 R>>', '<</Type /Pages /Kids [] /Count 0>>'];

    expect(await codeOf(convertBytes('a.pdf', rawPdf(objects)))).toBe('normalize.corrupt');
  });

  it('whose pages contain themselves is rejected', async () => {
    const objects = onePage();
    objects[1] = '<</Type /Pages /Kids [2 0 R] /Count 1>>';

    expect(await codeOf(convertBytes('a.pdf', rawPdf(objects)))).toBe('normalize.corrupt');
  });

  it('that claims too many pages is counted by those that it has', async () => {
    const objects = onePage();
    objects[1] = '<</Type /Pages /Kids [3 0 R] /Count 900>>';

    const { conversion } = await convertBytes('a.pdf', rawPdf(objects));

    expect(conversion.fidelity.pages).toBe(1);
  });
});

describe('active content', () => {
  it.each([
    ['JavaScript on opening', '/OpenAction <</S /JavaScript /JS (app.alert\\(1\\))>>'],
    ['a program to start', '/OpenAction <</S /Launch /F (calc.exe)>>'],
  ])('such as %s gives a warning and is not run', async (_, catalogue) => {
    const { conversion, warnings } = await convertBytes('a.pdf', rawPdf(onePage(catalogue)));

    expect(conversion.outcome).toBe('pass');
    expect(warnings).toEqual(['normalize.active_content']);
  });

  it('such as an attached file is counted', async () => {
    const objects = [
      ...onePage('/Names <</EmbeddedFiles <</Names [(a.exe) 6 0 R]>>>>'),
      '<</Type /Filespec /F (a.exe) /EF <</F 7 0 R>>>>',
      '<</Type /EmbeddedFile /Length 2>>\nstream\nMZ\nendstream',
    ];

    const { warnings } = await convertBytes('a.pdf', rawPdf(objects));

    expect(warnings).toEqual(['normalize.embedded_object']);
  });
});
