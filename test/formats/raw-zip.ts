import { crc32, deflateRawSync } from 'node:zlib';

/** Zips that no honest tool writes: any field can be wrong. */

export interface RawEntry {
  name: string | Buffer;
  content?: Uint8Array | string;
  /** Stated in both headers instead of the true value. */
  uncompressedSize?: number;
  crc?: number;
  /** 0 stored, 8 deflate (default). */
  method?: number;
  flags?: number;
  externalAttributes?: number;
  /** Offset of a local header that the directory points to instead of this entry's own. */
  sharesWith?: number;
  /** Packed bytes instead of those made of `content`. */
  packed?: Buffer;
}

export function rawZip(entries: RawEntry[], { comment = '' } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const fields = fieldsOf(entry);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(20, 4);
    fields.common.copy(header, 6);
    header.writeUInt16LE(fields.name.length, 26);
    const own = offset;
    offsets.push(own);
    if (entry.sharesWith === undefined) {
      locals.push(header, fields.name, fields.packed);
      offset += header.length + fields.name.length + fields.packed.length;
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    // Made on Unix, so that the external attributes are a mode.
    central.writeUInt16LE(0x0314, 4);
    central.writeUInt16LE(20, 6);
    fields.common.copy(central, 8);
    central.writeUInt16LE(fields.name.length, 28);
    central.writeUInt32LE(entry.externalAttributes ?? 0, 38);
    central.writeUInt32LE(
      entry.sharesWith === undefined ? own : (offsets[entry.sharesWith] ?? 0),
      42,
    );
    directory.push(central, fields.name);
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, central, end, Buffer.from(comment)]);
}

/** Flags, method, time, CRC and sizes, as in both headers. */
function fieldsOf(entry: RawEntry): { common: Buffer; name: Buffer; packed: Buffer } {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
  const common = Buffer.alloc(20);
  common.writeUInt16LE(entry.flags ?? 0x800, 0);
  common.writeUInt16LE(method, 2);
  common.writeUInt32LE(entry.crc ?? crc32(content), 8);
  common.writeUInt32LE(packed.length, 12);
  common.writeUInt32LE(entry.uncompressedSize ?? content.length, 16);
  return { common, name: Buffer.from(entry.name), packed };
}
