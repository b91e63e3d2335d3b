import { describe, expect, it } from 'vitest';
import { emf, image, namespaces, paragraph, picture, textBox } from '../print/docx-fixture.ts';
import { prepared, shown } from './prepared.ts';

describe('drawings', () => {
  it('shows a text box in a frame after its paragraph', async () => {
    const { xml, facts } = await prepared(
      `<w:p><w:r><w:t>anchor</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps">${textBox(paragraph('inside'))}</mc:Choice><mc:Fallback><w:pict/></mc:Fallback></mc:AlternateContent></w:r></w:p>`,
    );

    expect(shown(xml)).toEqual(['anchor', 'inside']);
    expect(xml).toMatch(/<w:tbl>.*inside.*<\/w:tbl>/);
    expect(facts.textBoxes).toBe(1);
  });

  it('shows a text box in a text box of a VML group', async () => {
    const { xml } = await prepared(
      `<w:p><w:r><w:pict><v:group style="width:100pt;height:50pt" coordsize="1000,500"><v:rect style="width:500;height:100"><v:textbox><w:txbxContent><w:p><w:r><w:t>outer</w:t></w:r><w:r>${textBox(paragraph('inner'))}</w:r></w:p></w:txbxContent></v:textbox></v:rect></v:group></w:pict></w:r></w:p>`,
    );

    expect(shown(xml)).toEqual(expect.arrayContaining(['outer', 'inner']));
  });

  it('extracts the pictures of a group, in their size on the page', async () => {
    const inGroup = `<pic:pic><pic:blipFill><a:blip r:embed="a"/></pic:blipFill><pic:spPr><a:xfrm><a:ext cx="50" cy="100"/></a:xfrm></pic:spPr></pic:pic>`;

    const { xml, facts } = await prepared(
      `<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1000000" cy="500000"/><a:graphic><a:graphicData><wpg:wgp><wpg:grpSpPr><a:xfrm><a:chExt cx="100" cy="100"/></a:xfrm></wpg:grpSpPr>${inGroup}${inGroup}</wpg:wgp></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`,
      { parts: { 'media/a.png': { type: 'image', content: await image('png') } } },
    );

    expect(facts).toMatchObject({ imagesFound: 2, imagesLost: 0 });
    expect(xml.match(/<wp:extent cx="500000" cy="500000"\/>/g)).toHaveLength(2);
  });

  it('converts TIFF to PNG and ignores a wrong extension', async () => {
    const { parts, facts } = await prepared(picture('a'), {
      parts: { 'media/a.emf': { type: 'image', content: await image('tiff') } },
    });

    const png = parts['word/media/p1.png'] ?? Buffer.alloc(0);
    expect(facts.imagesLost).toBe(0);
    expect(Buffer.from(png).toString('latin1', 1, 4)).toBe('PNG');
  });

  it.each([
    [
      'an EMF drawing',
      'in EMF or WMF format',
      async () => ({ parts: { 'media/a.emf': { type: 'image', content: emf() } } }),
    ],
    [
      'a linked picture',
      'outside the file, not fetched',
      async () => ({ external: { a: { type: 'image', target: 'http://example.test/a.png' } } }),
    ],
    [
      'a damaged picture',
      'damaged',
      async () => ({
        parts: { 'media/a.png': { type: 'image', content: (await image('png')).subarray(0, 20) } },
      }),
    ],
    [
      'a picture that claims 3.6 gigapixels',
      'with too many pixels',
      async () => {
        const content = await image('png');
        content.writeUInt32BE(60_000, 16);
        content.writeUInt32BE(60_000, 20);
        return { parts: { 'media/a.png': { type: 'image', content } } };
      },
    ],
    ['a missing picture', 'missing from the file', async () => ({})],
  ])('counts %s as lost and shows its description', async (_, because, fixture) => {
    const { xml, facts } = await prepared(picture('a'), await fixture());

    expect(facts).toMatchObject({ imagesFound: 1, imagesLost: 1 });
    expect(facts.lostBecause).toEqual(new Map([[because, 1]]));
    expect(shown(xml)).toEqual(['[Picture not shown: A red square]']);
  });

  it('shows a chart as the table of its values', async () => {
    const series = (name: string, values: number[]) =>
      `<c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>${name}</c:v></c:pt></c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>North</c:v></c:pt><c:pt idx="1"><c:v>South</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>${values.map((value, at) => `<c:pt idx="${at}"><c:v>${value}</c:v></c:pt>`).join('')}</c:numCache></c:numRef></c:val></c:ser>`;
    const chart = `<c:chartSpace ${namespaces}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart>${series('2024', [1, 2])}${series('2025', [3.5, 4.4])}</c:barChart></c:plotArea></c:chart></c:chartSpace>`;

    const { xml, facts } = await prepared(
      '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><a:graphic><a:graphicData><c:chart r:id="chart1"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>',
      { parts: { 'charts/chart1.xml': { type: 'chart', content: chart } } },
    );

    expect(shown(xml)).toEqual([
      '',
      '[Chart (bar): Sales]',
      '',
      '2024',
      '2025',
      'North',
      '1',
      '3.5',
      'South',
      '2',
      '4.4',
    ]);
    expect(facts).toMatchObject({ charts: 1, chartsUnread: 0 });
  });

  it('shows SmartArt as an indented list', async () => {
    const point = (id: string, text: string) =>
      `<dgm:pt modelId="${id}"><dgm:t><a:p><a:r><a:t>${text}</a:t></a:r></a:p></dgm:t></dgm:pt>`;
    const data = `<dgm:dataModel ${namespaces}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>${point('1', 'Plan')}${point('2', 'Do')}${point('3', 'Check')}</dgm:ptLst><dgm:cxnLst><dgm:cxn srcId="0" destId="1" srcOrd="0"/><dgm:cxn srcId="1" destId="2" srcOrd="0"/><dgm:cxn srcId="0" destId="3" srcOrd="1"/></dgm:cxnLst></dgm:dataModel>`;

    const { xml, facts } = await prepared(
      '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><a:graphic><a:graphicData><dgm:relIds r:dm="data1"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>',
      { parts: { 'diagrams/data1.xml': { type: 'diagramData', content: data } } },
    );

    expect(shown(xml)).toEqual(['', '[Diagram]', '• Plan', '• Do', '• Check']);
    expect(facts.diagrams).toBe(1);
  });
});

describe('equations', () => {
  it('draws both indices of a letter by nesting them', async () => {
    const run = (text: string) => `<m:r><m:t>${text}</m:t></m:r>`;

    const { xml } = await prepared(
      `<w:p><m:oMath><m:sSubSup><m:e>${run('x')}</m:e><m:sub>${run('i')}</m:sub><m:sup>${run('2')}</m:sup></m:sSubSup></m:oMath></w:p>`,
    );

    expect(xml).toMatch(
      /<m:sSup><m:e><m:sSub>.*x.*i.*<\/m:sSub><\/m:e><m:sup>.*2.*<\/m:sup><\/m:sSup>/,
    );
  });

  it('completes what docx-preview would throw on', async () => {
    const { xml } = await prepared(
      '<w:p><m:oMath><m:nary><m:sub><m:r><m:t>0</m:t></m:r></m:sub></m:nary><m:d><m:e/></m:d><m:rad><m:e/></m:rad></m:oMath></w:p>',
    );

    expect(xml).toMatch(/<m:nary><m:naryPr\/><m:sub>.*<\/m:sub><m:sup\/><m:e\/><\/m:nary>/);
    expect(xml).toMatch(/<m:dPr\/>/);
    expect(xml).toMatch(/<m:rad><m:radPr\/><m:deg\/><m:e\/><\/m:rad>/);
  });
});
