/** What HTML elements mean for text. */

/** Elements that begin and end a block (WHATWG HTML, 15.3). */
export const blockTags: ReadonlySet<string> = new Set(
  (
    'address article aside blockquote body button caption center dd details dialog dir div dl dt ' +
    'fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main ' +
    'menu nav ol optgroup option p pre section select summary table tbody td textarea tfoot th thead ' +
    'tr ul'
  ).split(' '),
);

/** The block elements that browsers show without space around them. */
export const lineTags: ReadonlySet<string> = new Set(
  'address body button caption center dd div dt html legend option summary textarea'.split(' '),
);

/** Elements whose content is never read: code, styles, fallbacks (`rp` is one of ruby), drawings. */
export const droppedTags: ReadonlySet<string> = new Set(
  (
    'script style noscript template svg canvas audio video object embed iframe frame frameset ' +
    'noframes datalist colgroup rp'
  ).split(' '),
);

/** Marks around inline elements that change the meaning; mere looks (bold) get none. */
export const inlineMarks: Readonly<Record<string, readonly [string, string]>> = {
  del: ['~~', '~~'],
  s: ['~~', '~~'],
  strike: ['~~', '~~'],
  sup: ['^', ''],
  sub: ['_', ''],
  q: ['“', '”'],
  code: ['`', '`'],
  kbd: ['`', '`'],
  rt: ['(', ')'],
};
