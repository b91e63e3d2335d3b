import { describe, expect, it } from 'vitest';
import { rawPptx } from '../fixtures/ooxml.ts';
import { bookEpub, letterOdt, memoRtf, openDocument, slidesOdp } from '../fixtures/opendocument.ts';
import { edited } from '../fixtures/zip.ts';
import { codeOf, convertBytes } from './convert-bytes.ts';

const drawing = 'http://schemas.openxmlformats.org/drawingml/2006';

describe('presentations', () => {
  it('keep slides and speaker notes apart', async () => {
    const pptx = rawPptx([
      { title: 'Plan 2026', lines: ['Cold stores', 'Energy'], notes: 'Mention the audit.' },
      { title: 'Costs', lines: ['EUR 4.3 million'] },
    ]);

    const { text, conversion } = await convertBytes('a.pptx', pptx);

    expect(text).toBe(
      '# Slide 1: Plan 2026\n\nCold stores\n\nEnergy\n\nSpeaker notes: Mention the audit.\n\n# Slide 2: Costs\n\nEUR 4.3 million\n',
    );
    expect(conversion.fidelity).toEqual({
      route: 'pptx→text',
      imagesFound: 0,
      imagesKept: 0,
      pages: 2,
      warnings: [],
    });
  });

  it('keep the text of diagrams and the data of charts', async () => {
    const chart = `<c:chartSpace xmlns:c="${drawing}/chart" xmlns:a="${drawing}/main"><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>Köln</c:v></c:pt></c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>Q1</c:v></c:pt><c:pt idx="1"><c:v>Q2</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:pt idx="0"><c:v>12</c:v></c:pt><c:pt idx="1"><c:v>15</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>`;
    const diagram = `<dgm:dataModel xmlns:dgm="${drawing}/diagram" xmlns:a="${drawing}/main"><dgm:pt><dgm:t><a:p><a:r><a:t>Buy</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>`;
    const links = [
      { id: 'c', type: 'chart', target: '../charts/chart1.xml' },
      { id: 'd', type: 'diagramData', target: '../diagrams/data1.xml' },
    ];

    const { text } = await convertBytes(
      'a.pptx',
      rawPptx(
        [
          { title: 'T', lines: [], links },
          { title: 'U', lines: [] },
        ],
        {
          'ppt/charts/chart1.xml': chart,
          'ppt/diagrams/data1.xml': diagram,
        },
      ),
    );

    expect(text).toContain('Chart: Sales\n\n|  | Köln |\n| --- | --- |\n| Q1 | 12 |\n| Q2 | 15 |');
    expect(text).toContain('Diagram:\n\n- Buy');
    expect(text.indexOf('- Buy')).toBeLessThan(text.indexOf('# Slide 2: U'));
  });

  it('name hidden slides and count pictures and videos as lost', async () => {
    const links = [
      { id: 'p', type: 'image', target: '../media/a.png' },
      { id: 'v', type: 'video', target: '../media/a.mp4' },
    ];
    const xml =
      '<p:pic><p:nvPicPr><p:cNvPr id="9" name="x" descr="A truck"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:embed="p"/></p:blipFill><p:spPr/></p:pic>';
    const pptx = rawPptx([{ title: 'T', lines: ['x'], links, xml, hidden: true }], {
      'ppt/media/a.png': 'png',
      'ppt/media/a.mp4': 'mp4',
    });

    const { text, conversion, warnings } = await convertBytes('a.pptx', pptx);

    expect(text).toContain('[picture: A truck]');
    expect(conversion.fidelity).toMatchObject({ imagesFound: 1, imagesKept: 0 });
    expect(warnings).toEqual([
      'normalize.embedded_object',
      'normalize.hidden_text',
      'normalize.image_lost',
    ]);
  });

  it('in OpenDocument keep slides and notes apart too', async () => {
    const { text } = await convertBytes('a.odp', slidesOdp());

    expect(text).toContain('# Slide 1');
    expect(text).toContain('Two points');
    expect(text).toContain('Speaker notes: Smile here');
    expect(text.indexOf('Smile here')).toBeLessThan(text.indexOf('# Slide 2'));
  });

  it('without a word end with a warning', async () => {
    const { text, warnings } = await convertBytes('a.pptx', rawPptx([{ title: '', lines: [] }]));

    expect(text).toBe('# Slide 1\n');
    expect(warnings).toEqual(['normalize.no_text']);
  });
});

describe('texts', () => {
  it('in OpenDocument keep headings, lists, tables, notes and links', async () => {
    const { text, conversion, warnings } = await convertBytes('a.odt', letterOdt());

    expect(text).toContain('## Angebot für Köln\n');
    expect(text).toContain('Sehr geehrte Frau Müller,[^1] siehe [Liste](https://example.org/x).');
    expect(text).toContain('- erstens\n  - darunter\n');
    expect(text).toContain('| Artikel | Preis |\n| --- | --- |\n| Türheizung | 189,90 |');
    expect(text).toContain('[^1]: Valid until June.');
    expect(conversion.fidelity).toMatchObject({ imagesFound: 1, imagesKept: 0 });
    expect(warnings).toEqual(['normalize.image_lost']);
  });

  it('in EPUB follow the order of the spine, without scripts', async () => {
    const { text } = await convertBytes('a.epub', bookEpub());

    expect(text).toContain('# One\n\nIt was a dark night.');
    expect(text.indexOf('Then came the day.')).toBeGreaterThan(text.indexOf('- rain'));
    expect(text).not.toContain('alert');
  });

  it('in RTF keep characters of code pages and Unicode, tables and notes', async () => {
    const { text, conversion } = await convertBytes('a.rtf', memoRtf);

    expect(text).toContain('Grüße aus Łódź.[^1]');
    expect(text).toContain('| Ort | Datum |\n| --- | --- |\n| Köln | 2. Mai |');
    expect(text).toContain('[^1]: Siehe Anlage.');
    expect(text).not.toContain('secret title');
    expect(conversion.fidelity).toMatchObject({ imagesFound: 1, imagesKept: 0 });
  });
});

describe('protection', () => {
  it('of an OpenDocument text by a password is rejected', async () => {
    const locked = openDocument('text', '<text:p>x</text:p>', {
      'META-INF/manifest.xml':
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>',
    });

    expect(await codeOf(convertBytes('a.odt', locked))).toBe('normalize.encrypted');
  });

  const encryption = (uri: string) =>
    `<?xml version="1.0"?><encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:CipherData><enc:CipherReference URI="${uri}"/></enc:CipherData></enc:EncryptedData></encryption>`;

  it('of an EPUB by rights management is rejected, and obfuscated fonts do not count as such', async () => {
    const withRights = (uri: string) =>
      edited(bookEpub(), (parts) => {
        parts['META-INF/encryption.xml'] = Buffer.from(encryption(uri));
      });

    expect(await codeOf(convertBytes('a.epub', withRights('OEBPS/a.xhtml')))).toBe(
      'normalize.encrypted',
    );
    const { conversion } = await convertBytes('a.epub', withRights('OEBPS/font.otf'));
    expect(conversion.outcome).toBe('file');
  });
});
