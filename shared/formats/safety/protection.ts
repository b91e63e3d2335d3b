import { RejectDocument } from '../../journey/errors.ts';
import type { SafeZip } from './zip.ts';

const maxManifestBytes = 8 * 1024 * 1024;

/**
 * Rejects OpenDocument files with a password (ODF 1.2 part 3, 4.8) and EPUBs with digital rights
 * management. Obfuscated fonts, which many publishers use, do not count: the text is readable.
 * @throws RejectDocument `normalize.encrypted`
 */
export async function rejectProtected(zip: SafeZip): Promise<void> {
  const manifest = await text(zip, 'META-INF/manifest.xml');
  const encryption = await text(zip, 'META-INF/encryption.xml');
  const encryptsText = [...encryption.matchAll(/CipherReference[^>]*URI=["']([^"']*)["']/g)].some(
    ([, uri = '']) => /\.(x?html?|xml|opf|ncx)$/i.test(uri),
  );
  if (!/<(\w+:)?encryption-data/.test(manifest) && !encryptsText) return;
  throw new RejectDocument({
    code: 'normalize.encrypted',
    message: encryptsText
      ? 'The book is protected by digital rights management.'
      : 'The document is protected by a password.',
  });
}

async function text(zip: SafeZip, name: string): Promise<string> {
  const entry = zip.find(name);
  return entry ? (await zip.read(entry, maxManifestBytes)).toString('utf8') : '';
}
