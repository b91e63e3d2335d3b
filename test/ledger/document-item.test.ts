import { beforeEach, describe, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { type Status, statuses } from '../../shared/journey/record.ts';
import { BrokenInvariant, type DocumentAttributes } from '../../shared/ledger/document-item.ts';
import type { DocumentChanges } from '../../shared/ledger/documents.ts';
import { documentKey, pastVersionKey } from '../../shared/ledger/keys.ts';
import { transitions } from '../../shared/ledger/transitions.ts';
import { changed, documentIn, emptyLedger, impliedBy } from './support.ts';

let ledger: Awaited<ReturnType<typeof emptyLedger>>;
const id = documentIdOf('inbox', 'a.txt');

beforeEach(async () => {
  ledger = await emptyLedger();
});

/** The attributes that a status implies. */
const attributesOf = (status: Status) =>
  Object.keys(impliedBy[status]) as (keyof DocumentAttributes)[];
const item = () => ledger.table.get(documentKey(id));
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('a write', () => {
  const gaps = statuses.flatMap((from) =>
    transitions[from].flatMap((to) => attributesOf(to).map((missing) => ({ from, to, missing }))),
  );

  test.each(gaps)('is refused from $from to $to without $missing', async (gap) => {
    const { from, to, missing } = gap;
    const document = await documentIn(from, ledger);
    const before = await item();
    const { [missing]: _missing, ...changes }: DocumentChanges = impliedBy[to];
    const remove = missing in document ? [missing] : [];

    const thrown = await failure(ledger.documents.move(document, to, changes, { remove }));

    expect(thrown).toBeInstanceOf(BrokenInvariant);
    expect(thrown).toMatchObject({ name: 'BrokenInvariant' });
    // The status, and then nothing but the attribute that is missing.
    expect((thrown as Error).message).toMatch(new RegExp(`\\b${to}\\b[\\w ]* ${missing}$`));
    expect(await item()).toEqual(before);
  });

  test('that is refused names every missing attribute', async () => {
    const document = await documentIn('failed', ledger);

    const thrown = await failure(ledger.documents.move(document, 'uploaded'));

    const named = (thrown as Error).message.split(/\W+/);
    expect(named).toEqual(expect.arrayContaining(attributesOf('uploaded')));
    expect(named).not.toContain('error');
  });

  test('keeps an attribute whose change is undefined, if there is one to keep', async () => {
    const { documents } = ledger;
    const received = await documentIn('received', ledger);
    const changes = { ...impliedBy.normalized, source: undefined };

    const refused = await failure(documents.move(received, 'normalized', changes));
    const normalized = await documents.move(received, 'normalized', impliedBy.normalized);
    const again = await documents.move(normalized ?? received, 'normalized', changes);

    expect(refused).toBeInstanceOf(BrokenInvariant);
    expect(again?.source).toEqual(impliedBy.normalized.source);
  });
});

describe('an item read from the table', () => {
  test.each(statuses)('is a %s document with no more than that status implies', async (status) => {
    const document = await documentIn(status, ledger);

    expect(await ledger.documents.get(id)).toEqual(document);
  });

  test.each(
    statuses.flatMap((status) => attributesOf(status).map((missing) => ({ status, missing }))),
  )('is refused when it is $status without $missing', async ({ status, missing }) => {
    await documentIn(status, ledger);
    await ledger.table.update(documentKey(id), { remove: [missing] });

    expect(await failure(ledger.documents.get(id))).toMatchObject({
      issues: [{ path: [missing] }],
    });
  });

  test('is refused in an unknown status', async () => {
    await documentIn('received', ledger);
    await ledger.table.update(documentKey(id), { set: { status: 'lost' } });

    expect(await failure(ledger.documents.get(id))).toMatchObject({
      issues: [{ path: ['status'] }],
    });
  });

  test('is refused when it is not a document', async () => {
    await ledger.table.put({ ...documentKey(id), status: 'ready' });

    await expect(ledger.documents.get(id)).rejects.toThrow('Invalid input');
  });

  test('may be a past version in any status, whatever it lacks', async () => {
    const { document } = await ledger.documents.receive(changed('01'), 'default');
    const past = { ...document, ...pastVersionKey(id, document.order), status: 'ready' };
    await ledger.table.put(past);

    await expect(ledger.documents.getPast(id, document.order)).resolves.toEqual(past);
  });
});
