import { randomBytes } from 'node:crypto';

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const length = 22;

/** Makes ids such as `file_01…`: the real ones look like this, but are opaque and may change. */
export function idMaker(random: (() => number) | undefined): (prefix: string) => string {
  return (prefix) => {
    const bytes = random ? undefined : randomBytes(length);
    let id = `${prefix}_01`;

    for (let i = 0; i < length; i++) {
      const pick = random ? Math.floor(random() * alphabet.length) : (bytes?.[i] ?? 0);
      id += alphabet.charAt(pick % alphabet.length);
    }
    return id;
  };
}
