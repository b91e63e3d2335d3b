/**
 * Characters of names that people see otherwise than programs: controls, line separators, and those
 * that turn the direction of text or take no space (`annexe\u202ecod.exe` looks like `annexeexe.doc`).
 * Joiners stay: Persian and emoji need them.
 */
const misleading =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * A name, such as that of a file, as a title for people: without the characters that make it look
 * like another. A name without them is returned unchanged.
 * @example displayName('contract\u202efdp.exe') // 'contractfdp.exe'
 */
export function displayName(name: string): string {
  return name.replace(misleading, '');
}
