import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMixed } from '../../shared/formats/text/encoding.ts';
import { codeOf, convertBytes } from './convert-bytes.ts';

/** Every byte of a WHATWG encoding by its character, because Node can decode but not encode. */
function encoderOf(label: string): (text: string) => Buffer {
  const bytesOf = new Map<string, number[]>();
  const decoder = new TextDecoder(label, { fatal: true });
  const tryDecode = (bytes: number[]): void => {
    try {
      const text = decoder.decode(Uint8Array.from(bytes));
      if ([...text].length === 1 && !bytesOf.has(text)) bytesOf.set(text, bytes);
    } catch {
      // These bytes are not a character.
    }
  };
  for (let first = 0; first < 256; first += 1) {
    tryDecode([first]);
    if (first < 0x81 || isSingleByte(label)) continue;
    for (let second = 0x40; second < 256; second += 1) tryDecode([first, second]);
  }
  return (text) =>
    Buffer.from(
      [...text].flatMap((character) => {
        const bytes = bytesOf.get(character);
        if (!bytes) throw new Error(`${label} has no ${character}`);
        return bytes;
      }),
    );
}

function isSingleByte(label: string): boolean {
  return /^(?:windows|koi8|iso-8859)/.test(label);
}

function utf32(text: string, littleEndian: boolean): Buffer {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(points.length * 4);
  points.forEach((point, index) => {
    if (littleEndian) bytes.writeUInt32LE(point, index * 4);
    else bytes.writeUInt32BE(point, index * 4);
  });
  return bytes;
}

function utf16(text: string, littleEndian: boolean): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return littleEndian ? bytes : bytes.swap16();
}

const clean = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
  .filter((text) => text.trim() !== '' && text.isWellFormed())
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are left out
  .filter((text) => !/[\0-\x08\x0b\x0e-\x1f\x7f\ufeff\ufffd-\uffff]/.test(text));

describe('text', () => {
  test('in clean UTF-8 passes unchanged', async () => {
    const { conversion, text } = await convertBytes('notes.md', '# Täglich\n\n\t– 日本語 🙂\n');

    expect(conversion).toMatchObject({
      outcome: 'pass',
      mimeType: 'text/plain',
      block: 'document',
      fidelity: { route: 'text', encoding: 'utf-8', warnings: [] },
    });
    expect(text).toBe('# Täglich\n\n\t– 日本語 🙂\n');
  });

  test('comes back from every Unicode encoding with a byte order mark', async () => {
    const encodings: [string, (text: string) => Buffer][] = [
      ['utf-8', (text) => Buffer.from(`\ufeff${text}`)],
      ['utf-16le', (text) => utf16(`\ufeff${text}`, true)],
      ['utf-16be', (text) => utf16(`\ufeff${text}`, false)],
      ['utf-32le', (text) => utf32(`\ufeff${text}`, true)],
      ['utf-32be', (text) => utf32(`\ufeff${text}`, false)],
    ];

    await fc.assert(
      fc.asyncProperty(clean, fc.constantFrom(...encodings), async (text, [label, encode]) => {
        const converted = await convertBytes('any.txt', encode(text));

        expect(converted.text).toBe(text);
        expect(converted.conversion.fidelity.encoding).toBe(label);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['utf-16le', utf16('Zeile eins\nZeile zwei: größer\n', true)],
    ['utf-16be', utf16('Zeile eins\nZeile zwei: größer\n', false)],
    ['utf-32le', utf32('Zeile eins\nZeile zwei: größer\n', true)],
    ['utf-32be', utf32('Zeile eins\nZeile zwei: größer\n', false)],
  ])('in %s without a byte order mark is recognised', async (label, bytes) => {
    const { text, conversion } = await convertBytes('any.txt', bytes);

    expect(text).toBe('Zeile eins\nZeile zwei: größer\n');
    expect(conversion.fidelity.encoding).toBe(label);
  });

  test.each([
    ['windows-1252', 'Le café coûte 3 € à Besançon, où l’été dure – naïvement – jusqu’à Noël.\n'],
    ['windows-1252', 'Preis: 30 €, “gut”\n'],
    ['windows-1250', 'Zażółć gęślą jaźń, proszę pana, i już.\n'],
    ['windows-1251', 'Договор аренды помещения: стороны договорились о нижеследующем.\n'],
    ['koi8-r', 'Договор аренды помещения: стороны договорились о нижеследующем.\n'],
    ['shift_jis', '契約書の条項について、両当事者は次のとおり合意する。東京都港区\n'],
    ['shift_jis', 'これはテストです。カタカナとひらがな。\n'],
    ['euc-jp', '契約書の条項について、両当事者は次のとおり合意する。東京都港区\n'],
    ['gb18030', '本合同由双方在平等自愿的基础上签订，具有法律效力。北京市朝阳区\n'],
    ['big5', '本合約由雙方在平等自願的基礎上簽訂，具有法律效力。臺北市中正區\n'],
    ['euc-kr', '본 계약은 양 당사자가 서명한 날부터 효력이 발생한다. 서울특별시\n'],
    ['windows-1253', 'Η σύμβαση μίσθωσης υπογράφεται από τα δύο μέρη στην Αθήνα.\n'],
    ['windows-1255', 'הסכם שכירות זה נחתם בין הצדדים בתל אביב ונכנס לתוקף מיד.\n'],
  ])('in %s is read, with a warning that it is a guess', async (label, text) => {
    const converted = await convertBytes('old.txt', encoderOf(label)(text.repeat(5)));

    expect(converted.text).toBe(text.repeat(5));
    expect(converted.warnings).toEqual(['normalize.encoding_guessed']);
  });

  test('in ISO-2022-JP is recognised by its escape sequences', async () => {
    const bytes = Buffer.from('\x1b$B7@Ls=q\x1b(B\n', 'latin1');

    const { text, conversion } = await convertBytes('old.txt', bytes);

    expect(text).toBe('契約書\n');
    expect(conversion.fidelity.encoding).toBe('iso-2022-jp');
  });

  test.each([
    ['XML', 'a.xml', '<?xml version="1.0" encoding="ISO-8859-2"?><a>Łódź</a>'],
    ['a content type', 'a.txt', 'Łódź'],
  ])('is in the encoding that %s declares if it is not UTF-8', async (_, name, text) => {
    const { text: converted, warnings } = await convertBytes(name, encoderOf('iso-8859-2')(text), {
      contentType: 'text/plain; charset=iso-8859-2',
    });

    expect(converted).toBe(text);
    expect(warnings).toEqual([]);
  });

  test('with UTF-8 and windows-1252 mixed keeps both readable', async () => {
    const utf8 = Buffer.from('Müller, 東京, Größe: ä ö ü ß é è ê à ù ç\n'.repeat(3));
    const latin = Buffer.from('M\xfcller\n', 'latin1');

    const { text, warnings } = await convertBytes('mixed.txt', Buffer.concat([utf8, latin]));

    expect(text).toBe(`${'Müller, 東京, Größe: ä ö ü ß é è ê à ù ç\n'.repeat(3)}Müller\n`);
    expect(warnings).toEqual(['normalize.mixed_encodings']);
  });

  test('loses control characters and terminal colours, with a warning', async () => {
    const { text, warnings } = await convertBytes(
      'build.log',
      `\x1b[31mfailed\x1b[0m step 1\0\n${'plain line of the log\n'.repeat(5)}bell\x07\n`,
    );

    expect(text).toBe(`failed step 1\n${'plain line of the log\n'.repeat(5)}bell\n`);
    expect(warnings).toEqual(['normalize.control_characters']);
  });

  test('with lone surrogates in UTF-16 has U+FFFD instead', async () => {
    const bytes = Buffer.concat([
      utf16('\ufeffa lone half here: ', true),
      Buffer.from([0x00, 0xd8]),
      utf16(' and on it goes\n', true),
    ]);

    const { text, warnings } = await convertBytes('half.txt', bytes);

    expect(text).toBe('a lone half here: \ufffd and on it goes\n');
    expect(warnings).toEqual(['normalize.undecodable']);
  });

  test('with only white space is empty', async () => {
    expect(await codeOf(convertBytes('blank.txt', ' \n\t\r\n'))).toBe('normalize.empty');
  });

  test('of no bytes is empty', async () => {
    expect(await codeOf(convertBytes('none.txt', ''))).toBe('normalize.empty');
  });

  test('that is really binary is rejected', async () => {
    const bytes = Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7919) % 256));

    expect(await codeOf(convertBytes('noise.txt', bytes))).toBe('normalize.binary');
  });

  test('in one line of many megabytes passes', async () => {
    const line = 'word '.repeat(4_000_000);

    const { conversion } = await convertBytes('line.txt', line);

    expect(conversion.outcome).toBe('pass');
  });
});

describe('mixed decoding', () => {
  test('of valid UTF-8 is UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text.toWellFormed());

        expect(decodeMixed(bytes)).toBe(bytes.toString('utf8'));
      }),
    );
  });

  test('of any bytes is well-formed text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeMixed(Buffer.from(bytes)).isWellFormed()).toBe(true);
      }),
    );
  });

  test('joins surrogates that were encoded separately', () => {
    const cesu = Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb9, 0x82]);

    expect(decodeMixed(cesu)).toBe('🙂');
    expect(decodeMixed(cesu.subarray(0, 3))).toBe('\ufffd');
  });
});
