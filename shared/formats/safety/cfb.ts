import type { FileHandle } from 'node:fs/promises';

/**
 * Names of the streams and storages at the root of an OLE compound file ([MS-CFB]), the container
 * of .doc, .xls, .ppt, .msg and of encrypted OOXML. Reads only the directory, never a stream.
 */

const freeSector = 0xffffffff;
const maxDirectoryEntries = 4_096;

/**
 * @param file open for reading, starting with the compound file's signature
 * @returns names in lower case; none if the directory is damaged
 */
export async function rootNames(file: FileHandle): Promise<Set<string>> {
  const header = await readAt(file, 0, 512);
  if (header.length < 512) return new Set();
  const sectorSize = 1 << header.readUInt16LE(30);
  if (sectorSize !== 512 && sectorSize !== 4096) return new Set();
  const directory = await readChain(file, header, sectorSize);
  return namesBelowRoot(directory);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** The directory's sectors, found through the allocation table; bounded because of cycles. */
async function readChain(file: FileHandle, header: Buffer, sectorSize: number): Promise<Buffer> {
  const perSector = sectorSize / 4;
  const chunks: Buffer[] = [];
  const maxSectors = (maxDirectoryEntries * 128) / sectorSize;
  let sector = header.readUInt32LE(48);
  while (sector < 0xfffffffa && chunks.length < maxSectors) {
    chunks.push(await readAt(file, (sector + 1) * sectorSize, sectorSize));
    const table = Math.floor(sector / perSector);
    // The first 109 table sectors are in the header. In files that need more (from 7 MB) the directory
    // starts early, so the chain is cut there.
    if (table >= 109) break;
    const tableSector = header.readUInt32LE(76 + table * 4);
    if (tableSector === freeSector) break;
    const at = (tableSector + 1) * sectorSize + (sector % perSector) * 4;
    const next = await readAt(file, at, 4);
    if (next.length < 4) break;
    sector = next.readUInt32LE(0);
  }
  return Buffer.concat(chunks);
}

/** Walks the tree of siblings below the root entry; [MS-CFB] 2.6.4. */
function namesBelowRoot(directory: Buffer): Set<string> {
  const names = new Set<string>();
  const entries = Math.floor(directory.length / 128);
  const seen = new Set<number>();
  const todo = entries > 0 ? [directory.readUInt32LE(76)] : [];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    if (id >= entries || seen.has(id)) continue;
    seen.add(id);
    const entry = directory.subarray(id * 128, id * 128 + 128);
    const bytes = Math.min(64, entry.readUInt16LE(64));
    names.add(
      entry
        .subarray(0, Math.max(0, bytes - 2))
        .toString('utf16le')
        .toLowerCase(),
    );
    todo.push(entry.readUInt32LE(68), entry.readUInt32LE(72));
  }
  return names;
}
