import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withStoredFields } from '../../shared/word/to-pdf/index.ts';
import { partsOf, textOf } from '../fixtures/zip.ts';
import { docxOf, type Fixture, paragraph } from '../print/docx-fixture.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'stored-fields-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** The parts of the docx for LibreOffice, or undefined when the docx stays as it is. */
async function stored(body: string, fixture: Fixture = {}) {
  const file = path.join(dir, 'in.docx');
  await writeFile(file, docxOf(body, fixture));
  const changed = await withStoredFields(file);
  return changed && partsOf(changed);
}

async function bodyOf(body: string): Promise<string | undefined> {
  const parts = await stored(body);
  return parts && /<w:body>(.*)<\/w:body>/s.exec(textOf(parts, 'word/document.xml'))?.[1];
}

const character = (type: string): string => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
const instruction = (text: string): string =>
  `<w:r><w:instrText xml:space="preserve">${text}</w:instrText></w:r>`;
const run = (text: string): string => `<w:r><w:t>${text}</w:t></w:r>`;
const field = (what: string, result: string): string =>
  character('begin') + what + character('separate') + result + character('end');

const shown = (xml: string | undefined): string | undefined =>
  xml
    ?.match(/<w:t\b[^>]*>[^<]*/g)
    ?.join('')
    .replaceAll(/<[^>]*>/g, '');

describe('a field that LibreOffice fills in by itself', () => {
  it.each(['DATE \\@ "d MMMM yyyy"', ' time ', 'FILENAME \\p \\* MERGEFORMAT'])(
    'is replaced by its stored result: %s',
    async (text) => {
      const body = await bodyOf(`<w:p>${field(instruction(text), run('as stored'))}</w:p>`);

      expect(shown(body)).toBe('as stored');
      expect(body).not.toMatch(/fldChar|instrText/);
    },
  );

  it('is found in the simple form too', async () => {
    const body = await bodyOf(
      `<w:p><w:fldSimple w:instr=" DATE ">${run('12 May')}</w:fldSimple></w:p>`,
    );

    expect(body).toBe(`<w:p>${run('12 May')}</w:p>`);
  });

  it('is found when its name is in two runs', async () => {
    const body = await bodyOf(
      `<w:p>${field(instruction(' DA') + instruction('TE '), run('12 May'))}</w:p>`,
    );

    expect(body).not.toMatch(/DA|TE /);
  });

  it('shows nothing of what it is computed from', async () => {
    const inner = field(instruction(' TITLE '), run('computed'));
    const body = await bodyOf(
      `<w:p>${field(instruction(' FILENAME ') + inner, run('stored'))}</w:p>`,
    );

    expect(shown(body)).toBe('stored');
  });

  it('is replaced in a header', async () => {
    const header = `<w:hdr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p>${field(instruction('TIME'), run('noon'))}</w:p></w:hdr>`;
    const parts = await stored(paragraph('words'), {
      parts: { 'header1.xml': { type: 'header', content: header } },
    });

    expect(parts && textOf(parts, 'word/header1.xml')).not.toContain('TIME');
  });
});

describe('everything else', () => {
  it.each(['PAGE', 'NUMPAGES', 'REF place', 'TOC \\o', 'DATEDIFF', 'HYPERLINK \\l "place"'])(
    'stays, such as %s',
    async (text) => {
      expect(await stored(`<w:p>${field(instruction(text), run('1'))}</w:p>`)).toBeUndefined();
    },
  );

  it('stays around a field that is replaced', async () => {
    const outer = field(
      instruction(' IF ') + field(instruction(' DATE '), run('12 May')) + instruction(' = 1 '),
      run('result'),
    );

    const body = await bodyOf(`<w:p>${outer}</w:p>`);

    expect(body).not.toContain('DATE');
    expect(body?.match(/fldCharType="(begin|separate|end)"/g)).toHaveLength(3);
  });
});

describe('links', () => {
  const linkTo = async (target: string): Promise<string | undefined> => {
    const link = `<w:p><w:hyperlink r:id="a">${run('link')}</w:hyperlink></w:p>`;
    const parts = await stored(link, { external: { a: { type: 'hyperlink', target } } });
    return (
      parts &&
      /Target="([^"]*)" TargetMode/.exec(textOf(parts, 'word/_rels/document.xml.rels'))?.[1]
    );
  };

  it.each(['https://example.org/a', 'http://example.org', 'mailto:a@example.org'])(
    'to the web stay: %s',
    async (target) => {
      expect(await linkTo(target)).toBeUndefined();
    },
  );

  it.each(['other.docx', '../up.docx', 'file:///etc/passwd', 'C:\\Users\\a.docx'])(
    'to files lead nowhere: %s',
    async (target) => {
      expect(await linkTo(target)).toBe('#');
    },
  );

  it('in fields are told apart in the same way', async () => {
    const link = (target: string) =>
      `<w:p>${field(instruction(`HYPERLINK "${target}"`), run('link'))}</w:p>`;

    expect(await stored(link('https://example.org'))).toBeUndefined();
    expect(await bodyOf(link('sub/other.docx'))).not.toContain('HYPERLINK');
  });
});

it('the docx for LibreOffice is the same whenever it is made', async () => {
  const make = () => stored(`<w:p>${field(instruction('DATE'), run('12 May'))}</w:p>`);

  const parts = await make();

  expect(Object.keys(parts ?? {})).toEqual([
    '[Content_Types].xml',
    '_rels/.rels',
    'word/document.xml',
    'word/_rels/document.xml.rels',
  ]);
  expect(await make()).toEqual(parts);
});
