import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { mostUsd, type PriceTable, priceTableWith } from '../claude/prices.ts';
import type { Limits } from '../formats/index.ts';
import type { Profile, ProfileFor } from '../journey/profiles.ts';
import type { BudgetLimits } from '../ledger/budgets.ts';
import { nameOf, ruleFaults } from './check.ts';
import { faultsOf, labelOf, WrongConfig } from './faults.ts';
import { configSchema, type GivenProfile, type priceSchema } from './schema.ts';

/** The model that summarises unless a profile, a flag or the context names another. */
export const defaultModel = 'claude-haiku-5-5';

/** Flags, context and properties that existed before the file, and say a part of what it says. */
export interface Shorthands {
  /** The model of the profile with the prefix "". */
  model?: string | undefined;
  /** Key prefixes below which types that are not converted are uploaded. */
  containerUploads?: readonly string[] | undefined;
  limits?: Partial<Limits> | undefined;
  /** The beta dialect of the Files API has no expiry. */
  dialect?: 'ga' | 'beta' | undefined;
}

/** The configuration in force: the file, the shorthands, and the defaults. */
export interface Config {
  /** The model of documents without a profile of their own. */
  model: string;
  /** One of them has the prefix "". */
  profiles: readonly Profile[];
  prices: PriceTable;
  /** What may be spent in a UTC day and month; empty without a budget. */
  budget: BudgetLimits;
  limits: Partial<Limits>;
}

/**
 * Checks a configuration and puts it together with the shorthands.
 * @param json the text of the file; without one, the shorthands and the defaults are all there is
 * @throws {WrongConfig} that names each fault by profile and field
 */
export function readConfig(json: string | undefined, shorthands: Shorthands = {}): Config {
  const given = json === undefined ? {} : parsed(json);
  const result = configSchema.safeParse(given);
  if (!result.success) throw new WrongConfig(faultsOf(result.error, given));
  const { profiles: written, budget = {} } = result.data;
  const prices = priceTableWith(
    Object.fromEntries(
      Object.entries(result.data.prices).map(([id, price]) => [id, tableEntry(price)]),
    ),
  );
  const root = written.find(({ prefix }) => prefix === '');
  const model = root?.model ?? shorthands.model ?? defaultModel;
  const faults = [
    ...ruleFaults(written, (profile) => profile.model ?? model),
    ...contradictions(written, root, shorthands),
    ...unpriced(written, model, prices),
  ];
  const limits = merged((given as { limits?: Partial<Limits> }).limits, shorthands.limits, faults);
  if (faults.length > 0) throw new WrongConfig(faults);
  const named = written.map((profile) => profileOf(profile, profile.model ?? model));
  const own = root ? named : [defaultProfile(model), ...named];
  return {
    model,
    profiles: [...own, ...uploading(own, shorthands)],
    prices,
    budget,
    limits,
  };
}

/** The profile of every document without a profile of its own, when the file has none for it. */
export const defaultProfile = (model: string): Profile =>
  sealed({ name: 'default', prefix: '', model, mode: 'now', containerUploads: false });

/**
 * Finds the profile of a document: the one that it asks for by name, else the one with the longest prefix of its key.
 * @returns `undefined` when it asks for a name that no profile has
 */
export function profileFinder(profiles: readonly Profile[]): ProfileFor {
  const byLength = profiles
    .filter(({ prefix }) => prefix !== undefined)
    .sort((a, b) => (b.prefix?.length ?? 0) - (a.prefix?.length ?? 0));
  return ({ key, profileAsked }) =>
    profileAsked === undefined
      ? byLength.find(({ prefix = '' }) => key.startsWith(prefix))
      : profiles.find(({ name }) => name === profileAsked);
}

function parsed(json: string): unknown {
  try {
    // Editors on Windows may put a byte order mark in front.
    return JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new WrongConfig([`not JSON: ${error instanceof Error ? error.message : error}`]);
  }
}

function profileOf(given: GivenProfile, model: string): Profile {
  const { citations, layout, title, summary, allowUnknownPrice, ...rest } = given;
  return sealed({
    ...rest,
    name: nameOf(given),
    model,
    // Only what differs from the defaults: a default that is written out changes nothing.
    ...(citations ? {} : { citations }),
    ...(layout === 'summary' ? {} : { layout }),
    ...(title ? { title } : {}),
    ...(allowUnknownPrice ? { allowUnknownPrice } : {}),
    ...(summary ? {} : { summary }),
  });
}

/**
 * The profile with its hash: of its content in a canonical form. Its name and prefix are left out, and what it may cost,
 * which changes no answer.
 */
function sealed(profile: Omit<Profile, 'hash'>): Profile {
  const { name: _name, prefix: _prefix, ...rest } = profile;
  const { maxUsdPerDocument: _most, allowUnknownPrice: _unknown, ...content } = rest;
  const entries = Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
  return { ...profile, hash };
}

/** Their name; they differ in nothing but the prefix. */
const uploadingName = 'container-uploads';

/** The profiles that the shorthand `containerUploads` stands for: that of all other documents, with uploads. */
function uploading(own: readonly Profile[], { containerUploads = [] }: Shorthands): Profile[] {
  const root = own.find(({ prefix }) => prefix === '');
  if (!root) throw new Error('no profile has the prefix ""');
  // What is only uploaded is not asked about.
  const { hash: _, code: _code, ...content } = root;
  return containerUploads
    .filter((prefix) => !own.some((profile) => profile.prefix === prefix))
    .map((prefix) => sealed({ ...content, name: uploadingName, prefix, containerUploads: true }));
}

function contradictions(
  profiles: readonly GivenProfile[],
  root: GivenProfile | undefined,
  { model, containerUploads = [], dialect }: Shorthands,
): string[] {
  const faults: string[] = [];
  const taken = profiles.find((profile) => nameOf(profile) === uploadingName);
  if (taken && containerUploads.length > 0) {
    faults.push(
      `${labelOf(profiles.indexOf(taken), taken)}: name: "${uploadingName}" is the name of the profiles that the setting containerUploads stands for`,
    );
  }
  const at = (profile: GivenProfile) => labelOf(profiles.indexOf(profile), profile);
  if (model !== undefined && root?.model !== undefined && root.model !== model) {
    faults.push(`${at(root)}: model: is ${root.model}, but the setting model says ${model}`);
  }
  for (const profile of profiles) {
    const { prefix, containerUploads: uploads } = profile;
    if (profile !== root && !uploads && containerUploads.some((other) => overlap(prefix, other))) {
      faults.push(
        `${at(profile)}: containerUploads: is not true, but the setting containerUploads names keys of this profile`,
      );
    }
    if (dialect === 'beta' && profile.expiryDays !== undefined) {
      faults.push(`${at(profile)}: expiryDays: the beta dialect of the Files API has no expiry`);
    }
  }
  return faults;
}

/** A limit on a cost that cannot be calculated would hold nothing back. */
function unpriced(profiles: readonly GivenProfile[], model: string, prices: PriceTable): string[] {
  return profiles.flatMap((profile, index) => {
    const asked = profile.model ?? model;
    const isKnown = mostUsd({ model: asked, promptTokens: 0, maxTokens: 0 }, prices) !== undefined;
    if (profile.maxUsdPerDocument === undefined || profile.allowUnknownPrice || isKnown) return [];
    return [
      `${labelOf(index, profile)}: maxUsdPerDocument: the price of ${asked} is not known; add it to prices`,
    ];
  });
}

const overlap = (prefix: string | undefined, other: string): boolean =>
  prefix !== undefined && (prefix.startsWith(other) || other.startsWith(prefix));

function merged(
  file: Partial<Limits> = {},
  setting: Partial<Limits> = {},
  faults: string[],
): Partial<Limits> {
  for (const [name, value] of Object.entries(setting) as [keyof Limits, number][]) {
    if (file[name] !== undefined && file[name] !== value) {
      faults.push(`limits.${name}: is ${file[name]}, but the setting limits says ${value}`);
    }
  }
  return { ...file, ...setting };
}

function tableEntry({
  input,
  output,
  above,
  source: _,
  ...factors
}: z.output<typeof priceSchema>): z.input<
  typeof import('../claude/prices.ts').priceTableSchema
>[string] {
  if (!above) return { tiers: [{ input, output }], ...factors };
  const { promptTokens, ...higher } = above;
  return { tiers: [{ upToPromptTokens: promptTokens, input, output }, higher], ...factors };
}
