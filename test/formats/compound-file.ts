/**
 * An OLE compound file with empty streams of the given names at its root ([MS-CFB]): just enough to
 * be identified.
 */
export function compoundFile(names: string[]): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(1, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(0xfffffffe, 60);
  header.writeUInt32LE(0xfffffffe, 68);
  for (let at = 76; at < 512; at += 4) header.writeUInt32LE(at === 76 ? 0 : 0xffffffff, at);

  const sectors = Math.ceil((names.length + 1) / 4);
  const table = Buffer.alloc(512, 0xff);
  table.writeUInt32LE(0xfffffffd, 0);
  for (let sector = 1; sector <= sectors; sector += 1) {
    table.writeUInt32LE(sector === sectors ? 0xfffffffe : sector + 1, sector * 4);
  }

  const directory = Buffer.alloc(sectors * 512);
  ['Root Entry', ...names].forEach((name, index) => {
    const at = index * 128;
    directory.write(name, at, 'utf16le');
    directory.writeUInt16LE((name.length + 1) * 2, at + 64);
    directory[at + 66] = index === 0 ? 5 : 2;
    directory.writeUInt32LE(0xffffffff, at + 68);
    // Siblings as a list to the right; the root points at the first.
    const right = index > 0 && index < names.length ? index + 1 : 0xffffffff;
    directory.writeUInt32LE(right, at + 72);
    directory.writeUInt32LE(index === 0 && names.length > 0 ? 1 : 0xffffffff, at + 76);
    directory.writeUInt32LE(0xfffffffe, at + 116);
  });
  return Buffer.concat([header, table, directory]);
}
