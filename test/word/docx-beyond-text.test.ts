import { describe, expect, it } from 'vitest';
import { drawnPicture, type Link, p, rawDocx, wordPart } from '../fixtures/ooxml.ts';
import { convertBytes } from '../formats/convert-bytes.ts';

describe('what text cannot carry', () => {
  const png = { 'word/media/a.png': 'not looked at' };
  const held: Link = { id: 'r1', type: 'image', target: 'media/a.png' };
  const inShape = (content: string) =>
    `<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wps:wsp>${content}</wps:wsp></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:rect/></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`;

  it.each([
    ['a picture', drawnPicture('r1'), '1 picture'],
    [
      'a VML picture',
      '<w:p><w:r><w:pict><v:shape><v:imagedata r:id="r1"/></v:shape></w:pict></w:r></w:p>',
      '1 picture',
    ],
    ['a chart', '<w:p><w:r><w:drawing><c:chart r:id="r2"/></w:drawing></w:r></w:p>', '1 chart'],
    [
      'SmartArt',
      '<w:p><w:r><w:drawing><dgm:relIds r:dm="r2"/></w:drawing></w:r></w:p>',
      '1 diagram',
    ],
    [
      'an equation',
      '<w:p><m:oMathPara><m:oMath><m:r><m:t>E</m:t></m:r></m:oMath></m:oMathPara></w:p>',
      '1 equation',
    ],
    [
      'a text box',
      inShape(`<wps:txbx><w:txbxContent>${p('boxed')}</w:txbxContent></wps:txbx>`),
      '1 text box',
    ],
    [
      'a VML text box',
      `<w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent>${p('boxed')}</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>`,
      '1 text box',
    ],
    ['a drawn shape', inShape('<a:prstGeom prst="flowChartDecision"/>'), '1 shape'],
    [
      'a phonetic guide',
      '<w:p><w:r><w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>',
      '1 phonetic guide',
    ],
  ])('sends a document with %s to be rendered and says why', async (_, body, words) => {
    const docx = rawDocx(p('text') + body, [held], png);

    const { conversion, warnings } = await convertBytes('a.docx', docx);

    expect(conversion.outcome).toBe('render');
    expect(warnings).toEqual(['normalize.beyond_text']);
    expect(conversion.fidelity.warnings[0]?.message).toContain(`${words}:`);
  });

  it('finds a picture that is only in the header', async () => {
    const header = wordPart('hdr', drawnPicture('r9'));
    const rels =
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/a.png"/></Relationships>';
    const body = `${p('x')}<w:sectPr><w:headerReference w:type="default" r:id="h1"/></w:sectPr>`;
    const docx = rawDocx(body, [{ id: 'h1', type: 'header', target: 'h1.xml' }], {
      'word/h1.xml': header,
      'word/_rels/h1.xml.rels': rels,
      ...png,
    });

    const { conversion } = await convertBytes('a.docx', docx);

    expect(conversion).toMatchObject({ outcome: 'render', fidelity: { imagesFound: 1 } });
  });

  it('counts a picture once although it is in both alternatives', async () => {
    const body = `<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><a:blip r:embed="r1"/></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:imagedata r:id="r1"/></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`;

    const { conversion } = await convertBytes('a.docx', rawDocx(body, [held], png));

    expect(conversion.fidelity.imagesFound).toBe(1);
  });

  it.each([
    ['a line', inShape('<a:prstGeom prst="line"/>')],
    ['a connector', inShape('<wps:cNvCnPr/><a:prstGeom prst="rect"/>')],
    ['a horizontal rule', '<w:p><w:r><w:pict><v:rect o:hr="t"/></w:pict></w:r></w:p>'],
  ])('does not render a document because of %s', async (_, body) => {
    const { conversion } = await convertBytes('a.docx', rawDocx(p('text') + body));

    expect(conversion.outcome).toBe('file');
  });

  it('counts a picture outside the file as lost and keeps the text route', async () => {
    const outside: Link = {
      id: 'r1',
      type: 'image',
      target: 'http://127.0.0.1:9/a.png',
      external: true,
    };

    const { conversion, text, warnings } = await convertBytes(
      'a.docx',
      rawDocx(p('text') + drawnPicture('r1', 'r:link'), [outside]),
    );

    expect(conversion).toMatchObject({
      outcome: 'file',
      fidelity: { imagesFound: 1, imagesKept: 0 },
    });
    expect(text).toBe('text\n\n[picture]\n');
    expect(warnings).toEqual(['normalize.image_lost', 'normalize.external_reference']);
  });

  it('counts a picture whose part is missing as lost', async () => {
    const { conversion, warnings } = await convertBytes(
      'a.docx',
      rawDocx(p('text') + drawnPicture('r1'), [held]),
    );

    expect(conversion.fidelity).toMatchObject({ imagesFound: 1, imagesKept: 0 });
    expect(warnings).toEqual(['normalize.image_lost']);
  });

  it('warns about macros, embedded files and foreign parts', async () => {
    const body = `${p('x')}<w:altChunk r:id="r2"/><w:p><w:r><w:object><o:OLEObject Type="Embed" r:id="r3"/></w:object></w:r></w:p>`;
    const docx = rawDocx(body, [], { 'word/vbaProject.bin': 'macro' });

    const { warnings } = await convertBytes('a.docm', docx);

    expect(warnings).toEqual([
      'normalize.embedded_object',
      'normalize.imported_part',
      'normalize.macros',
    ]);
  });
});
