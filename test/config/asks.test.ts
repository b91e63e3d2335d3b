import { expect, test } from 'vitest';
import { asksOf, unknownModels } from '../../shared/config/asks.ts';
import { readConfig } from '../../shared/config/config.ts';

const schema = { type: 'object', properties: { total: { type: 'number' } } };
const asks = (...profiles: object[]) => asksOf(readConfig(JSON.stringify({ profiles })));

test('a profile with a summary and fields says that it reads twice, and what that costs', () => {
  const [, both, why, fields, ...rest] = asks(
    { prefix: 'a/', model: 'claude-sonnet-5-5', schema },
    { name: 'b', model: 'claude-sonnet-5-5', schema, summary: false },
  );

  expect(both).toBe(
    'a (a/): a summary with citations and fields with quotes by claude-sonnet-5-5; 2 calls, 2 input passes a document; 10,000 input tokens cost 0.0400 USD',
  );
  expect(why).toContain('the API refuses citations together with a schema');
  expect(fields).toBe(
    'b (by name only): fields with quotes by claude-sonnet-5-5; 1 call, 1 input pass a document; 10,000 input tokens cost 0.0200 USD',
  );
  expect(rest).toEqual([]);
});

test('other profiles say what they ask too', () => {
  const lines = asks(
    { prefix: '', citations: false, layout: 'free', prompt: 'Why?', schema },
    { prefix: 'raw/', mode: 'off' },
    { name: 'own', model: 'my-model' },
  );

  expect(lines).toEqual([
    expect.stringMatching(
      /^default \(all other keys\): a free answer without citations and fields/,
    ),
    expect.stringContaining('they are two questions'),
    'raw (raw/): nothing is asked; files are uploaded only',
    expect.stringMatching(/by my-model; 1 call, 1 input pass a document; its price is not known$/),
    expect.stringContaining('Dropline does not know my-model'),
  ]);
});

test('a model that Dropline does not know is told, with the one that was probably meant', () => {
  const { profiles } = readConfig(
    JSON.stringify({
      profiles: [
        { prefix: '', model: 'claude-haiku-5.5' },
        { prefix: 'a/', model: 'claude-haiku-5.5' },
        { prefix: 'b/', model: 'my-own' },
        { prefix: 'c/', model: 'never-asked', mode: 'off' },
      ],
    }),
  );

  expect(unknownModels({ profiles })).toEqual([
    'Dropline does not know claude-haiku-5.5, so its effort and limits are not checked; did you mean claude-haiku-5-5?',
    'Dropline does not know my-own, so its effort and limits are not checked',
  ]);
});

test('a profile that asks in batches says what that costs', () => {
  const [, line] = asks({ prefix: 'archive/', model: 'claude-sonnet-5-5', mode: 'batch' });

  expect(line).toMatch(/; 10,000 input tokens cost 0\.0100 USD in a batch$/);
});
