import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { checkXml, checkXmlStream, XmlScanner } from '../../shared/formats/safety/xml.ts';
import { codeOf } from './convert-bytes.ts';

const limits = { ...defaultLimits, maxXmlDepth: 50, maxXmlBytes: 100_000 };

async function check(xml: string | Buffer, allowDoctype = false): Promise<string> {
  return codeOf(Promise.resolve().then(() => checkXml(Buffer.from(xml), limits, { allowDoctype })));
}

describe('XML', () => {
  test('is measured: bytes, elements, depth', () => {
    const xml = '<?xml version="1.0"?><a b="1>2"><c/><!-- <x> --><d><![CDATA[<y>]]></d></a>';

    const found = checkXml(Buffer.from(xml), limits);

    expect(found).toEqual({ bytes: xml.length, elements: 3, depth: 2 });
  });

  test('is measured the same, however it is cut into chunks', () => {
    const xml = Buffer.from(
      `<a>${'<b c="<" d=\'>\'><!-- - -- --><e/></b><?p x?><![CDATA[]]>]]>'.repeat(3)}</a>`,
    );
    const whole = checkXml(xml, limits);

    fc.assert(
      fc.property(fc.array(fc.nat({ max: xml.length }), { maxLength: 8 }), (cuts) => {
        const scanner = new XmlScanner(limits);
        const offsets = [0, ...cuts.sort((a, b) => a - b), xml.length];
        for (const [index, from] of offsets.entries()) {
          scanner.push(xml.subarray(from, offsets[index + 1] ?? xml.length));
        }

        expect(scanner.check).toEqual(whole);
      }),
    );
  });

  test.each<[string, string, string | Buffer]>([
    ['a document type', 'normalize.xml_entities', '<!DOCTYPE a SYSTEM "http://x/y.dtd"><a/>'],
    ['an entity', 'normalize.xml_entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    [
      'an entity in UTF-16',
      'normalize.xml_entities',
      Buffer.from('\ufeff<!DOCTYPE a [<!ENTITY b "c">]><a/>', 'utf16le'),
    ],
    [
      'an unmarked UTF-16 entity',
      'normalize.xml_entities',
      Buffer.from('<!DOCTYPE a []><a/>', 'utf16le').swap16(),
    ],
    ['too many levels', 'normalize.xml_depth', '<a>'.repeat(51)],
    ['too many bytes', 'normalize.too_large', 'x'.repeat(100_001)],
  ])('with %s ends as %s', async (_, expected, xml) => {
    expect(await check(xml)).toBe(expected);
  });

  test('with a document type passes if that is allowed, unless it has declarations', async () => {
    const html =
      '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/x.dtd"><html/>';

    expect(checkXml(Buffer.from(html), limits, { allowDoctype: true }).elements).toBe(1);
    expect(await check('<!DOCTYPE a [<!ENTITY b "c">]><a/>', true)).toBe('normalize.xml_entities');
  });

  test('as a stream is rejected as soon as it is too long', async () => {
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (; given < 1_000; given += 1) yield Buffer.from('<a></a>'.repeat(1_000));
      })(),
    );

    const code = await codeOf(checkXmlStream(endless, limits));

    expect(code).toBe('normalize.too_large');
    expect(given).toBeLessThan(100);
  });
});
