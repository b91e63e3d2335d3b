import { strToU8, zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { mailWith } from '../world/mail.ts';
import { type MemoryLedger, memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { partOf, staging, World } from '../world/world.ts';

/** Parts of archives and mails are documents of their own: each its own, none lost. */

const zip = (files: Record<string, string | Uint8Array>): Buffer =>
  Buffer.from(
    zipSync(
      Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          name,
          typeof content === 'string' ? strToU8(content) : content,
        ]),
      ),
    ),
  );
const text = (about: string): string =>
  `A text about ${about}. It rose by 12 percent. Nothing else did.`;

let world: World;
let ledger: MemoryLedger;
afterEach(() => world.close());

async function begin() {
  ledger = memoryLedger();
  world = await World.create(ledger);
}

const documents = (): DocumentItem[] =>
  ledger.items().filter((item) => item.sk === 'DOC') as unknown as DocumentItem[];

const present = async (key: string): Promise<DocumentItem> => {
  const record = await world.record(key);
  if (!record) throw new Error(`no record of ${key}`);
  return record;
};

describe('two files do not become one document', () => {
  test('although a folder is called like the inside of an archive', async () => {
    await begin();
    const archive = zip({
      'b.zip': zip({ 'c.txt': text('pumps') }),
      'b.zip!/c.txt': text('valves'),
    });
    world.deliver(world.drop('a.zip', archive));
    await world.drain();

    const found = documents().filter(({ key }) => key.endsWith('c.txt'));
    expect(found.map(({ status }) => status)).toEqual(['ready', 'ready']);
    expect(new Set(found.map(({ fileId }) => fileId)).size).toBe(2);
  });

  test.each(['the archive', 'the object'])(
    'although an object of the bucket is called like a part, and %s comes first',
    async (first) => {
      await begin();
      const archive = world.drop('b.zip', zip({ 'c.txt': text('pumps') }));
      const object = world.drop('b.zip!/c.txt', text('valves'));
      for (const event of first === 'the archive' ? [archive, object] : [object, archive]) {
        world.deliver(event);
        await world.drain();
      }

      expect((await present('b.zip!/c.txt')).summary?.text).toContain('valves');
      expect((await present(partOf('b.zip', 'c.txt'))).summary?.text).toContain('pumps');

      world.deliver(world.remove('b.zip'));
      await world.drain();
      await settleDown(world);
      expect((await present('b.zip!/c.txt')).status).toBe('ready');
      expect((await present(partOf('b.zip', 'c.txt'))).status).toBe('removed');
      expect(world.emulator.files()).toHaveLength(1);
    },
  );
});

describe('parts whose keys have no tag yet', () => {
  /** A mail whose attachment was announced when keys had no tags, as its records still say. */
  async function untagged() {
    await begin();
    world.deliver(world.drop('a.eml', mailWith('valves')));
    await world.work({ only: ['intake'], kill: { call: 1, when: 'before' } });
    const { documentId } = await present('a.eml');
    await world.table.update({ pk: `DOC#${documentId}`, sk: 'DOC' }, { set: { hasParts: true } });
    world.advance(3_600_000);
    await world.drain();
    expect((await present('a.eml!/valves.txt')).status).toBe('ready');
    expect(await world.record(partOf('a.eml', 'valves.txt'))).toBeUndefined();
    return documentId;
  }

  test('keep their documents while their parent is the same', async () => {
    await untagged();
    const before = await present('a.eml!/valves.txt');

    world.deliver(...world.events);
    await world.drain();
    await settleDown(world);

    expect(await present('a.eml!/valves.txt')).toEqual(before);
    expect(await world.record(partOf('a.eml', 'valves.txt'))).toBeUndefined();
  });

  test('are removed with their parent', async () => {
    await untagged();

    world.deliver(world.remove('a.eml'));
    await world.drain();

    expect((await present('a.eml!/valves.txt')).status).toBe('removed');
    expect(world.emulator.files()).toEqual([]);
  });

  test('are replaced by documents with tagged keys when their parent changes', async () => {
    const documentId = await untagged();

    world.deliver(world.drop('a.eml', `${mailWith('valves')}\r\n`));
    await world.drain();
    await settleDown(world);

    expect((await present('a.eml!/valves.txt')).status).toBe('removed');
    const now = await present(partOf('a.eml', 'valves.txt'));
    expect(now.status).toBe('ready');
    expect(world.emulator.files().map(({ id }) => id)).toContain(now.fileId);
    const { objects } = await world.buckets.list(staging, { prefix: `parts/${documentId}/` });
    expect(objects).toHaveLength(1);
  });
});

describe('an archive with more parts than one invocation can announce', () => {
  const many = zip(
    Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`${at}.txt`, text(`${at}`)])),
  );

  /** Works on the archive's own messages alone, and returns how many parts each delivery staged. */
  async function deliveries(): Promise<number[]> {
    const staged: number[] = [];
    for (;;) {
      const { intake } = world.queues;
      const own = intake.messages.filter(({ body }) => body.includes('"aws:s3"'));
      intake.messages.splice(0, intake.messages.length, ...own);
      const life = await world.work({ only: ['intake'] });
      if (!life) return staged;
      staged.push(life.calls.filter((call) => call === 'objects.putFile').length);
    }
  }

  test('gets further with each delivery, and loses no attempt', async () => {
    await begin();
    world.timeLeftMs = 10_000;
    world.deliver(world.drop('a.zip', many));

    expect(await deliveries()).toEqual([100, 100, 100, 100, 50]);

    expect(await present('a.zip')).toMatchObject({
      status: 'skipped',
      error: { code: 'normalize.container' },
      attempts: { normalize: 1 },
    });
    const { objects } = await world.buckets.list(staging);
    expect(objects).toHaveLength(450);
  });

  test('continues after the last parts that a killed worker announced', async () => {
    await begin();
    world.deliver(world.drop('a.zip', many));
    // The budget, that there are parts, 100 announced, 200 announced.
    const cursor = await callOf('table.update', 4);
    await begin();
    world.deliver(world.drop('a.zip', many));
    await world.work({ only: ['intake'], kill: { call: cursor, when: 'after' } });
    world.advance(3_600_000);

    const [rest] = await deliveries();

    expect(rest).toBe(250);
    expect((await present('a.zip')).status).toBe('skipped');
  });

  /** The number of the call with which a worker makes its nth call of this name. */
  async function callOf(name: string, nth: number): Promise<number> {
    const life = await world.work({ only: ['intake'] });
    await world.close();
    const calls = [...(life?.calls ?? []).entries()].filter(([, call]) => call === name);
    return calls[nth - 1]?.[0] ?? -1;
  }
});
