import { factsOf, models } from '../claude/models.ts';
import { costUsd, type PriceTable } from '../claude/prices.ts';
import { askedBy, type Profile } from '../journey/profiles.ts';
import type { Config } from './config.ts';
import { nearest } from './faults.ts';

/** The document by which the cost of reading is told. */
const exampleTokens = 10_000;

/**
 * What each profile asks, and how often a document is read for it, one line a profile and one for each remark: for people
 * who check a configuration before they deploy it.
 */
export function asksOf({ profiles, prices }: Pick<Config, 'profiles' | 'prices'>): string[] {
  return profiles.flatMap((profile) => [lineOf(profile, prices), ...remarksOn(profile)]);
}

function lineOf(profile: Profile, prices: PriceTable): string {
  const { name, prefix, model } = profile;
  const keys = prefix === undefined ? 'by name only' : prefix === '' ? 'all other keys' : prefix;
  const asked = kindsOf(profile);
  const calls = asked.length;
  if (calls === 0) return `${name} (${keys}): nothing is asked; files are uploaded only`;
  const passes = calls === 1 ? '1 call, 1 input pass' : `${calls} calls, ${calls} input passes`;
  return `${name} (${keys}): ${asked.map((kind) => said(kind, profile)).join(' and ')} by ${model}; ${passes} a document${inputCost(profile, calls, prices)}`;
}

const kindsOf = (profile: Profile) => (profile.mode === 'off' ? [] : askedBy(profile));

function said(kind: 'summary' | 'fields', { citations = true, layout }: Profile): string {
  if (kind === 'fields') return 'fields with quotes';
  const what = layout === 'free' ? 'a free answer' : 'a summary';
  return `${what} ${citations ? 'with' : 'without'} citations`;
}

function inputCost({ model, mode }: Profile, calls: number, table: PriceTable): string {
  const usage = {
    input_tokens: exampleTokens,
    output_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
  const cost = costUsd(usage as Parameters<typeof costUsd>[0], model, {
    table,
    batch: mode === 'batch',
  });
  if (cost === undefined) return '; its price is not known';
  const size = exampleTokens.toLocaleString('en');
  const how = mode === 'batch' ? ' in a batch' : '';
  return `; ${size} input tokens cost ${(cost * calls).toFixed(4)} USD${how}`;
}

/** What is said of a model that may be mistyped, and may be newer than this version. */
function unknownModel(model: string): string {
  const near = nearest(
    model,
    models.map(({ id }) => id),
  );
  const meant = near ? `; did you mean ${near}?` : '';
  return `Dropline does not know ${model}, so its effort and limits are not checked${meant}`;
}

/**
 * The models of a configuration that Dropline does not know, one sentence each: for a start or a synthesis, where a
 * mistyped one would otherwise be noticed by its first document.
 */
export function unknownModels({ profiles }: Pick<Config, 'profiles'>): string[] {
  const asked = profiles.filter((profile) => kindsOf(profile).length > 0);
  const unknown = new Set(asked.map(({ model }) => model).filter((model) => !factsOf(model)));
  return [...unknown].map(unknownModel);
}

function remarksOn(profile: Profile): string[] {
  const remarks: string[] = [];
  if (kindsOf(profile).length > 1) {
    const why =
      profile.citations === false
        ? 'they are two questions'
        : 'the API refuses citations together with a schema';
    remarks.push(
      `  The document is read twice, because ${why}. "summary": false asks for the fields alone, with their quotes, and halves the input.`,
    );
  }
  if (profile.code) {
    remarks.push(
      '  Datasets are answered by code: Claude reads its own results again at each step, so a call costs more than its input, and the hours of the container are billed apart.',
    );
  }
  if (kindsOf(profile).length > 0 && !factsOf(profile.model)) {
    remarks.push(`  ${unknownModel(profile.model)}`);
  }
  return remarks;
}
