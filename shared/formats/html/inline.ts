/** How HTML writes text and numbers within a block. */

/** The first number of a list, from its `start` attribute. */
export function startOf(value: string | undefined): number {
  const start = Number(value);
  return value !== undefined && Number.isInteger(start) ? start : 1;
}

/** White space as a browser shows it; U+2028 stands for `<br>`. */
export function tidy(text: string): string {
  return text
    .replace(/[\u00ad\u200b\ufeff]/g, '')
    .replace(/[ \t\n\r\f\u00a0]+/g, ' ')
    .replace(/ ?\u2028 ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A link with its target, unless its text is the target. */
export function linkText(href: string, label: string, text: string): string {
  const address = href.replace(/^(?:mailto|tel):/i, '');
  if (text === '' || text === href || text === address) return label;
  const lead = /^\s/.test(label) ? ' ' : '';
  const trail = /\s$/.test(label) ? ' ' : '';
  return `${lead}[${text}](${href})${trail}`;
}

/** What a field of a form shows: its mark or its text. */
export function inputText({ type = 'text', value = '', checked }: Record<string, string>): string {
  if (type === 'checkbox' || type === 'radio') return checked === undefined ? ' [ ] ' : ' [x] ';
  const isText = /^(?:text|number|date|email|tel|url|search)$/.test(type);
  return isText && value !== '' ? ` ${value} ` : '';
}

/** Whether a link leads to something that a reader of the text may use. */
export const isUsefulLink = (target: string): boolean =>
  target.length <= 2_000 && /^(?:https?:|mailto:|tel:|s?ftp:|file:|[^:#][^:]*$)/i.test(target);
