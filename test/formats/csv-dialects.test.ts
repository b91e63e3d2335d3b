import { describe, expect, test } from 'vitest';
import { convertBytes } from './convert-bytes.ts';

/** Files whose programs write quotes, line breaks and headers in ways of their own. */

const textOf = async (content: string, name = 'table.csv'): Promise<string> =>
  (await convertBytes(name, content)).text;

describe('quotes that are text', () => {
  test('and pair up across lines do not swallow rows', async () => {
    const lines = ['title\tyear\tid', '"Heroes\t1977\t1', 'Low\t1977\t2', 'Lodger"\t1979\t3'];

    expect(await textOf(`${lines.join('\n')}\n`, 'table.tsv')).toBe(
      'title,year,id\n"""Heroes",1977,1\nLow,1977,2\n"Lodger""",1979,3\n',
    );
  });

  test('and inches do not swallow rows between commas either', async () => {
    const lines = ['size,name,n', '5",pipe,1', '"7 inch,hose,2', '9",valve,3'];

    const { text, conversion } = await convertBytes('table.csv', `${lines.join('\n')}\n`);

    expect(text.trimEnd().split('\n')).toHaveLength(4);
    expect(conversion.fidelity).toMatchObject({ rowsFound: 4 });
  });

  test('are still quotes where cells are quoted, with line breaks and one fault', async () => {
    const lines = ['a,b,c', '"1,5","two\nlines",x', '"2,5","y" z,x', '"3,5","w",x'];

    expect(await textOf(`${lines.join('\n')}\n`)).toContain('"1,5","two\nlines",x\n');
  });
});

describe('quotes behind backslashes', () => {
  test('stay in their cell, with the commas beside them', async () => {
    const lines = ['id,said,n', '1,"He said \\"well, no\\" twice",5', '2,"plain, really",6'];

    expect(await textOf(`${lines.join('\n')}\n`)).toBe(
      'id,said,n\n1,"He said ""well, no"" twice",5\n2,"plain, really",6\n',
    );
  });

  test('are backslashes where a cell ends with one', async () => {
    const lines = ['dir,n', '"C:\\tmp\\",1', '"D:\\a, b\\",2'];

    expect(await textOf(`${lines.join('\n')}\n`)).toBe('dir,n\nC:\\tmp\\,1\n"D:\\a, b\\",2\n');
  });
});

test('line breaks of CR CR LF end a row', async () => {
  const content = ['id,name', '1,Ann', '2,"Bob, jr"'].map((line) => `${line}\r\r\n`).join('');

  expect(await textOf(content)).toBe('id,name\n1,Ann\n2,"Bob, jr"\n');
});

describe('the header that a long table repeats', () => {
  const rows = Array.from({ length: 3_000 }, (_, n) => `r${n},Town ${n},${'note '.repeat(6)}`);
  const long = (header: string) => textOf(`${[header, ...rows].join('\n')}\n`);
  const times = (text: string, line: string) => text.split(`${line}\n`).length - 1;

  test.each([[',city,note'], ['city,city,note'], ['"",city,note']])(
    'is %s, and no row of data',
    async (header) => {
      const text = await long(header);

      expect(times(text, header.replace('""', ''))).toBeGreaterThan(2);
      expect(times(text, rows[0] ?? '')).toBe(1);
    },
  );

  test('is none where the first row holds numbers', async () => {
    const text = await long('1,Town,2');

    expect(times(text, '1,Town,2')).toBe(1);
    expect(times(text, rows[0] ?? '')).toBe(1);
  });
});
