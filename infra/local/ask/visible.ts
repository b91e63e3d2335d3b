/**
 * What could move the cursor, colour the terminal, hide text or turn its direction: controls, separators of lines,
 * invisible formatting and halves of characters. Joiners stay: Persian and emoji need them.
 */
const treacherous = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]--[\u200c\u200d]]/gv;

/** A text of several lines as a terminal may show it: what is treacherous is written out, such as `\u001b`. */
export const visible = (text: string): string =>
  text
    .replace(/\r\n/g, '\n')
    .replace(treacherous, (found) => (found === '\n' || found === '\t' ? found : written(found)));

/** The same for a text that has to stay on its line, such as a name. */
export const visibleLine = (text: string): string => text.replace(treacherous, written);

/** JSON on one line, in which what is treacherous is escaped too; it reads back as the same value. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replace(treacherous, (found) =>
    Array.from({ length: found.length }, (_, index) => unit(found.charCodeAt(index))).join(''),
  );

function written(found: string): string {
  const point = found.codePointAt(0) ?? 0;
  return point > 0xffff ? `\\u{${point.toString(16)}}` : unit(point);
}

const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
