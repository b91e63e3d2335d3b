import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { costUsd } from '../../shared/claude/prices.ts';
import { profileFinder, readConfig, type Shorthands } from '../../shared/config/config.ts';
import { WrongConfig } from '../../shared/config/faults.ts';
import { readConfigFile } from '../../shared/config/file.ts';

const read = (given: object, shorthands?: Shorthands) =>
  readConfig(JSON.stringify(given), shorthands);
const profile = (given: object) => ({ profiles: [{ prefix: '' }, { prefix: 'a/', ...given }] });
const faultsOf = (given: object, shorthands?: Shorthands): readonly string[] => {
  try {
    read(given, shorthands);
    return [];
  } catch (error) {
    if (error instanceof WrongConfig) return error.faults;
    throw error;
  }
};

describe('a configuration', () => {
  test('that is left out is one profile for all, with the default model', () => {
    const { profiles, limits, model } = readConfig(undefined);

    expect(model).toBe('claude-haiku-5-5');
    expect(profiles).toMatchObject([{ name: 'default', prefix: '', mode: 'now' }]);
    expect(limits).toEqual({});
  });

  test('without a profile for all has the default one beside its own', () => {
    const { profiles } = read({ profiles: [{ prefix: 'a/' }] });

    expect(profiles.map(({ name, prefix }) => [name, prefix])).toEqual([
      ['default', ''],
      ['a', 'a/'],
    ]);
  });

  test('gives profiles that name no model the one of the prefix ""', () => {
    const { profiles } = read({
      profiles: [{ prefix: 'a/' }, { prefix: '', model: 'claude-sonnet-5-5' }],
    });

    expect(profiles.map(({ model }) => model)).toEqual(['claude-sonnet-5-5', 'claude-sonnet-5-5']);
  });

  test('may begin with a byte order mark, as editors on Windows write it', () => {
    expect(readConfig('\uFEFF{}').model).toBe('claude-haiku-5-5');
  });
});

describe('the profile of a document', () => {
  const find = profileFinder(
    read({
      profiles: [
        { prefix: 'a/', name: 'short' },
        { prefix: 'a/b/', name: 'long' },
        { name: 'by-name' },
      ],
    }).profiles,
  );

  test.each([
    ['x.txt', 'default'],
    ['a', 'default'],
    ['a/x.txt', 'short'],
    ['a/b', 'short'],
    ['a/b/x.txt', 'long'],
    ['a/b/x.zip!abc/c.txt', 'long'],
    ['by-name/x.txt', 'default'],
  ])('of %s is %s: the longest prefix wins', (key, name) => {
    expect(find({ key })?.name).toBe(name);
  });

  test('that asks for a name has that one, whatever its key', () => {
    expect(find({ key: 'a/b/x.txt', profileAsked: 'by-name' })?.name).toBe('by-name');
    expect(find({ key: 'a/b/x.txt', profileAsked: 'default' })?.name).toBe('default');
  });

  test('that asks for a name that does not exist has none', () => {
    expect(find({ key: 'a/b/x.txt', profileAsked: 'none' })).toBeUndefined();
    expect(find({ key: 'a/b/x.txt', profileAsked: 'constructor' })).toBeUndefined();
  });
});

describe('the hash of a profile', () => {
  const hashOf = (given: object) => read(profile(given)).profiles[1]?.hash;
  const plain = hashOf({});

  test.each([
    ['its name', { name: 'other' }],
    ['its prefix', { prefix: 'b/' }],
    ['a default that is written out', { mode: 'now', citations: true, title: false }],
    ['the layout by default', { layout: 'summary' }],
  ])('does not depend on %s', (_, given) => {
    expect(hashOf(given)).toBe(plain);
  });

  test.each([
    { effort: 'high' },
    { model: 'claude-sonnet-5-5' },
    { prompt: 'Why?' },
    { mode: 'off' },
    { expiryDays: 30 },
    { containerUploads: true },
    { citations: false },
    { code: { prompt: 'Plot it.' } },
    { schema: { type: 'object', properties: { total: { type: 'number' } } } },
  ])('is another with %j', (given) => {
    expect(hashOf(given)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf(given)).not.toBe(plain);
  });

  test('does not depend on the order of its fields', () => {
    expect(hashOf({ prompt: 'Why?', effort: 'high' })).toBe(
      hashOf({ effort: 'high', prompt: 'Why?' }),
    );
  });
});

describe('a wrong field is named with its profile', () => {
  const fields = { type: 'object', properties: { total: { type: 'number' } } };
  const at = 'profiles[1] "contracts": ';
  test.each<[object, string]>([
    [{ effort: 'lots' }, 'effort: must be one of none, low, medium, high, xhigh, max, not "lots"'],
    [{ mode: 'later' }, 'mode: must be one of now, batch, auto, off, not "later"'],
    [{ layout: 'poem' }, 'layout: must be one of summary, free, not "poem"'],
    [{ model: '' }, 'model: must be at least 1 character long, not ""'],
    [{ model: 5 }, 'model: must be a string, not 5'],
    [{ prompt: '' }, 'prompt: must be at least 1 character long'],
    [{ context: 7 }, 'context: must be a string, not 7'],
    [{ title: 'yes' }, 'title: must be a boolean, not "yes"'],
    [{ citations: 1 }, 'citations: must be a boolean, not 1'],
    [{ containerUploads: 'no' }, 'containerUploads: must be a boolean, not "no"'],
    [{ language: 'english please' }, 'language: must be the BCP 47 tag of a language'],
    [{ language: 'engl' }, 'language: must be the BCP 47 tag of a language'],
    [{ keyPoints: 21 }, 'keyPoints: must be at most 20, not 21'],
    [{ keyPoints: 1.5 }, 'keyPoints: must be a whole number, not 1.5'],
    [{ maxTokens: 10 }, 'maxTokens: must be at least 256, not 10'],
    [{ maxTokens: 40_000 }, 'maxTokens: must be at most 32000, not 40000'],
    [{ expiryDays: 1 }, 'expiryDays: must be at least 7, not 1'],
    [{ expiryDays: 91 }, 'expiryDays: must be at most 90, not 91'],
    [{ efort: 'low' }, 'efort: unknown field; did you mean effort?'],
    [{ Model: 'x' }, 'Model: unknown field; did you mean model?'],
    [{ wxyz: 1 }, 'wxyz: unknown field; the fields are prefix, name, model,'],
    [{ schema: 'object' }, 'schema: must be an object, not "object"'],
    [{ schema: { type: 'object' } }, 'schema.properties: must name at least one field'],
    [
      { schema: { type: 'object', properties: { total: { type: 'number', minimum: 0 } } } },
      'schema.properties.total.minimum: structured output does not support "minimum"',
    ],
    [{ schema: fields, mode: 'off' }, 'schema: has no effect, because the mode "off" asks nothing'],
    [{ prompt: 'Why?', mode: 'off' }, 'prompt: has no effect'],
    [{ batchAbove: 5, mode: 'batch' }, 'batchAbove: has no effect, because the mode is "batch"'],
    [{ language: 'fr', mode: 'off' }, 'language: has no effect'],
    [{ keyPoints: 3, mode: 'off' }, 'keyPoints: has no effect'],
    [{ citations: false, mode: 'off' }, 'citations: has no effect'],
    [{ maxUsdPerDocument: 2, mode: 'off' }, 'maxUsdPerDocument: has no effect'],
    [{ summary: false }, 'summary: false needs a schema'],
    [{ summary: 'no', schema: fields }, 'summary: must be a boolean, not "no"'],
    [{ summary: false, schema: fields, keyPoints: 3 }, 'keyPoints: there is no summary'],
    [{ summary: false, schema: fields, layout: 'free', prompt: 'x' }, 'layout: there is no'],
    [{ code: {} }, 'code.prompt: is missing'],
    [{ code: { prompt: '' } }, 'code.prompt: must be at least 1 character long'],
    [{ code: { prompt: 'x', skill: [] } }, 'code.skill: unknown field; did you mean skills?'],
    [{ code: { prompt: 'x', types: ['.CSV'] } }, 'code.types: must be extensions such as parquet'],
    [{ code: { prompt: 'x', skills: [{}] } }, 'code.skills.0.id: is missing'],
    [
      { code: { prompt: 'x', skills: [{ id: 'a b' }] } },
      'code.skills: must have the id of a skill',
    ],
    [{ code: { prompt: 'x', skills: [{ id: 'a' }, { id: 'a' }] } }, 'code.skills: names a skill'],
    [{ code: { prompt: 'x' }, mode: 'off' }, 'code: needs the mode "now"'],
    [{ code: { prompt: 'x' }, schema: fields }, 'code: a dataset has no text'],
    [{ code: { prompt: 'x' }, containerUploads: true }, 'code: names in types what goes up'],
    [{ maxUsdPerDocument: 0 }, 'maxUsdPerDocument: must be above 0, not 0'],
    [{ allowUnknownPrice: 1 }, 'allowUnknownPrice: must be a boolean, not 1'],
    [
      { model: 'my-model', maxUsdPerDocument: 2 },
      'maxUsdPerDocument: the price of my-model is not known; add it to prices',
    ],
    [{ layout: 'free' }, 'layout: "free" needs a prompt'],
    [{ layout: 'free', prompt: 'x', keyPoints: 3 }, 'keyPoints: the layout "free" has no'],
    [
      { model: 'claude-haiku-4-5', effort: 'low' },
      'effort: claude-haiku-4-5 does not take "low"; it takes none',
    ],
    [
      { model: 'claude-opus-5-5', effort: 'none' },
      'effort: claude-opus-5-5 always thinks; it takes low, medium, high, xhigh, max',
    ],
  ])('%j', (given, fault) => {
    const faults = faultsOf(profile({ name: 'contracts', ...given }));

    expect(faults).toHaveLength(1);
    expect(faults[0]?.startsWith(at + fault), faults[0]).toBe(true);
  });

  test('with a line for each, where there are several', () => {
    const given = {
      profiles: [
        { prefix: 'a/', effort: 'lots' },
        { prefix: 'b/', keyPoints: -1 },
      ],
    };

    expect(() => read(given)).toThrow(
      /^the configuration: these are wrong:\n {2}profiles\[0\] "a\/": effort: .*\n {2}profiles\[1\] "b\/": keyPoints: .* \(see docs\/profiles\.md\)$/,
    );
  });

  test('by its prefix where it has no name, and by its place where it has neither', () => {
    expect(faultsOf(profile({ effort: 'lots' }))[0]).toMatch(/^profiles\[1\] "a\/": effort: /);
    expect(faultsOf({ profiles: [{ effort: 'low' }] })).toEqual([
      'profiles[0]: prefix: a profile needs a prefix, or a name that objects ask for',
    ]);
  });

  test.each<[string, object, string]>([
    ['a name that no tag can have', profile({ name: 'a#b' }), 'profiles[1] "a#b": name: must be 1'],
    [
      'a prefix that no name can be made of',
      { profiles: [{ prefix: 'ä/' }] },
      'profiles[0] "ä/": name: is missing, and the prefix "ä/" has characters that no name may have',
    ],
    [
      'a name twice',
      { profiles: [{ prefix: 'a/' }, { prefix: 'b/', name: 'a' }] },
      'profiles[1] "a": name: "a" is that of profiles[0] too',
    ],
    [
      'a prefix twice',
      { profiles: [{ prefix: 'a/' }, { prefix: 'a/', name: 'b' }] },
      'profiles[1] "b": prefix: "a/" is that of profiles[0] too',
    ],
    [
      'the name of the profile for all others',
      { profiles: [{ prefix: 'a/', name: 'default' }] },
      'profiles[0] "default": name: "default" is the name of the profile of all other documents',
    ],
    ['a field of the file', { profils: [] }, 'profils: unknown field; did you mean profiles?'],
    ['a budget without a limit', { budget: {} }, 'budget: needs dailyUsd, monthlyUsd or both'],
    ['a budget below 0', { budget: { dailyUsd: -1 } }, 'budget.dailyUsd: must be at least 0'],
    [
      'a field of a budget',
      { budget: { dailyUsd: 1, monthlyUds: 1 } },
      'budget.monthlyUds: unknown field; did you mean monthlyUsd?',
    ],
    ['profiles that are no list', { profiles: {} }, 'profiles: must be an array, not {}'],
    ['a profile that is none', { profiles: [5] }, 'profiles[0]: must be an object, not 5'],
    ['a price below 0', { prices: { m: { input: -1, output: 1 } } }, 'prices.m.input: must be at'],
    ['half a price', { prices: { m: { input: 1 } } }, 'prices.m.output: is missing'],
    [
      'a field of a price',
      { prices: { m: { input: 1, output: 1, inptu: 2 } } },
      'prices.m.inptu: unknown field; did you mean input?',
    ],
    ['a limit', { limits: { maxRow: 1 } }, 'limits.maxRow: unknown field; did you mean maxRows?'],
    ['the value of a limit', { limits: { maxRows: 0 } }, 'limits.maxRows: '],
  ])('%s', (_, given, fault) => {
    const faults = faultsOf(given);

    expect(faults).toHaveLength(1);
    expect(faults[0]?.startsWith(fault), faults[0]).toBe(true);
  });

  test('all of them at once', () => {
    expect(faultsOf(profile({ effort: 'lots', keyPoints: 99 }))).toHaveLength(2);
  });
});

describe('shorthands', () => {
  test('say what the file does not say', () => {
    const config = read(
      { profiles: [{ prefix: 'a/' }], limits: { maxRows: 5 } },
      { model: 'claude-sonnet-5-5', containerUploads: ['raw/'], limits: { maxPages: 9 } },
    );

    expect(config.model).toBe('claude-sonnet-5-5');
    expect(config.profiles.map(({ name, model }) => [name, model])).toEqual([
      ['default', 'claude-sonnet-5-5'],
      ['a', 'claude-sonnet-5-5'],
      ['container-uploads', 'claude-sonnet-5-5'],
    ]);
    expect(config.limits).toEqual({ maxRows: 5, maxPages: 9 });
  });

  test('may repeat the file', () => {
    const given = {
      profiles: [
        { prefix: '', model: 'claude-sonnet-5-5' },
        { prefix: 'raw/', containerUploads: true },
      ],
      limits: { maxRows: 5 },
    };

    const config = read(given, {
      model: 'claude-sonnet-5-5',
      containerUploads: ['raw/'],
      limits: { maxRows: 5 },
      dialect: 'beta',
    });

    expect(config.profiles.map(({ name }) => name)).toEqual(['default', 'raw']);
  });

  test('container uploads are the profile of all others, with uploads', () => {
    const { profiles } = read(
      { profiles: [{ prefix: '', prompt: 'Name the parties.' }] },
      { containerUploads: ['raw/'] },
    );

    expect(profiles[1]).toMatchObject({
      name: 'container-uploads',
      prompt: 'Name the parties.',
      containerUploads: true,
    });
  });

  test.each<[Shorthands, object, string]>([
    [
      { model: 'claude-opus-5-5' },
      { profiles: [{ prefix: '', model: 'claude-sonnet-5-5' }] },
      'profiles[0]: model: is claude-sonnet-5-5, but the setting model says claude-opus-5-5',
    ],
    [
      { containerUploads: ['raw/'] },
      { profiles: [{ prefix: 'raw/' }] },
      'profiles[0] "raw/": containerUploads: is not true, but the setting',
    ],
    [
      { containerUploads: ['raw/'] },
      { profiles: [{ name: 'container-uploads' }] },
      'profiles[0] "container-uploads": name: "container-uploads" is the name of the profiles that',
    ],
    [
      { containerUploads: ['raw/'] },
      { profiles: [{ prefix: 'raw/deep/' }] },
      'profiles[0] "raw/deep/": containerUploads: is not true',
    ],
    [
      { limits: { maxRows: 5 } },
      { limits: { maxRows: 6 } },
      'limits.maxRows: is 6, but the setting limits says 5',
    ],
    [
      { dialect: 'beta' },
      { profiles: [{ prefix: 'a/', expiryDays: 30 }] },
      'profiles[0] "a/": expiryDays: the beta dialect of the Files API has no expiry',
    ],
  ])('%j are refused where they contradict the file', (shorthands, given, fault) => {
    const faults = faultsOf(given, shorthands);

    expect(faults).toHaveLength(1);
    expect(faults[0]?.startsWith(fault), faults[0]).toBe(true);
  });
});

describe('prices', () => {
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };

  test('are added to those that Dropline knows, and replace them', () => {
    const { prices: table } = read({
      prices: {
        'my-model': { input: 1, output: 5, source: 'contract of 2026-09' },
        'claude-opus-5-5': { input: 3, output: 9 },
      },
    });

    const costs = ['my-model', 'claude-opus-5-5', 'claude-sonnet-5-5', 'other'].map((model) =>
      costUsd(usage, model, { table }),
    );
    expect(costs).toEqual([1, 3, 2, undefined]);
  });

  test('may have a step', () => {
    const above = { promptTokens: 200_000, input: 4, output: 8 };
    const { prices: table } = read({ prices: { m: { input: 2, output: 4, above } } });

    const short = costUsd({ input_tokens: 200_000, output_tokens: 0 }, 'm', { table });
    const long = costUsd(usage, 'm', { table });

    expect([short, long]).toEqual([0.4, 4]);
  });
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dropline-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is named in what is wrong with it', () => {
    const path = join(folder, 'dropline.config.json');
    writeFileSync(path, '{"profiles": [{"prefix": "", "efort": "low"}]}');

    expect(() => readConfigFile(path)).toThrow(
      `${path}: profiles[0]: efort: unknown field; did you mean effort?`,
    );
  });

  test('that is no JSON, or not there, is refused', () => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, '{"profiles": [');

    expect(() => readConfigFile(path)).toThrow(`${path}: not JSON: `);
    expect(() => readConfigFile(join(folder, 'none.json'))).toThrow('there is no such file');
    expect(() => readConfigFile(folder)).toThrow(WrongConfig);
  });
});
