/** What XML 1.0 forbids, and what must be escaped in text or a quoted attribute. */
const illegal = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const special = /[&<>"]/g;

/** Text that is safe in XML, without the characters that XML 1.0 forbids. */
export function escapeXml(text: string): string {
  return text.replace(illegal, '').replace(special, (sign) => `&#${sign.charCodeAt(0)};`);
}
