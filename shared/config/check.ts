import { type Effort, factsOf } from '../claude/models.ts';
import { schemaFaults } from '../fields/schema.ts';
import { labelOf } from './faults.ts';
import { type GivenProfile, profileName } from './schema.ts';

/** The name of a profile: its own, or what its prefix gives. */
export function nameOf({ name, prefix }: Pick<GivenProfile, 'name' | 'prefix'>): string {
  return name ?? (prefix === '' ? 'default' : (prefix ?? '').replace(/\/+$/, ''));
}

/**
 * What no schema can say: rules across fields, between profiles, and of the model.
 * @param modelOf the model of a profile that may name none
 * @returns one sentence a fault
 */
export function ruleFaults(
  profiles: readonly GivenProfile[],
  modelOf: (profile: GivenProfile) => string,
): string[] {
  return [
    ...profiles.flatMap((profile, index) =>
      faultsIn(profile, modelOf(profile)).map((fault) => `${labelOf(index, profile)}: ${fault}`),
    ),
    ...twice(profiles, 'name', nameOf),
    ...twice(profiles, 'prefix', ({ prefix }) => prefix),
    ...reservedName(profiles),
  ];
}

function faultsIn(profile: GivenProfile, model: string): string[] {
  const { name, prefix, language, mode, layout, prompt, keyPoints } = profile;
  const faults: string[] = [];
  if (name === undefined && prefix === undefined) {
    faults.push('prefix: a profile needs a prefix, or a name that objects ask for');
  } else if (!profileName.test(nameOf(profile))) {
    faults.push(
      `name: is missing, and the prefix ${JSON.stringify(prefix)} has characters that no name may have`,
    );
  }
  if (language !== undefined && !isLanguage(language)) {
    faults.push(
      `language: must be the BCP 47 tag of a language, such as en or pt-BR, not "${language}"`,
    );
  }
  if (mode === 'off') faults.push(...withoutEffect(profile));
  if (mode !== 'auto' && profile.batchAbove !== undefined) {
    faults.push(`batchAbove: has no effect, because the mode is "${mode}"; it belongs to "auto"`);
  }
  if (layout === 'free') {
    if (prompt === undefined) faults.push('layout: "free" needs a prompt that says what to write');
    if (keyPoints !== undefined) faults.push('keyPoints: the layout "free" has no key points');
  }
  return [
    ...faults,
    ...fieldFaults(profile),
    ...codeFaults(profile),
    ...modelFaults(profile, model),
  ];
}

/** What a profile says about an answer that it does not ask for. */
function withoutEffect(profile: GivenProfile): string[] {
  const given = [
    ...(['schema', 'prompt', 'context', 'language', 'keyPoints', 'effort', 'maxTokens'] as const),
    ...(['maxUsdPerDocument'] as const),
  ].filter((field) => profile[field] !== undefined);
  const changed = [
    ...(profile.layout === 'summary' ? [] : ['layout']),
    ...(profile.citations ? [] : ['citations']),
    ...(profile.title ? ['title'] : []),
    ...(profile.allowUnknownPrice ? ['allowUnknownPrice'] : []),
  ];
  return [...given, ...changed].map(
    (field) =>
      `${field}: has no effect, because the mode "off" asks nothing; leave one of the two out`,
  );
}

/** Faults of what is asked for: a summary, fields, both. */
function fieldFaults({ schema, summary, mode, layout, keyPoints }: GivenProfile): string[] {
  const faults = schema === undefined ? [] : schemaFaults(schema);
  if (summary || mode === 'off') return faults;
  if (schema === undefined) {
    faults.push('summary: false needs a schema; to ask for nothing, set mode to "off"');
  }
  if (keyPoints !== undefined) faults.push('keyPoints: there is no summary that could have them');
  if (layout === 'free') faults.push('layout: there is no summary that could have it');
  return faults;
}

/** Faults of what is asked about datasets. */
function codeFaults({ code, mode, schema, containerUploads }: GivenProfile): string[] {
  if (code === undefined) return [];
  const faults: string[] = [];
  if (mode !== 'now') {
    faults.push(`code: needs the mode "now", because a paused turn is continued; not "${mode}"`);
  }
  if (schema !== undefined) {
    faults.push(
      'code: a dataset has no text in which the quotes of a schema could be looked up; give one of the two a profile of its own',
    );
  }
  if (containerUploads) {
    faults.push('code: names in types what goes up as it is; leave containerUploads out');
  }
  for (const type of code.types ?? []) {
    if (!/^[a-z0-9_-]+$/.test(type)) {
      faults.push(`code.types: must be extensions such as parquet, not ${JSON.stringify(type)}`);
    }
  }
  for (const { id } of code.skills ?? []) {
    if (!/^[A-Za-z0-9_-]+$/.test(id)) {
      faults.push(`code.skills: must have the id of a skill, such as xlsx, not "${id}"`);
    }
  }
  const ids = (code.skills ?? []).map(({ id }) => id);
  if (new Set(ids).size < ids.length) faults.push('code.skills: names a skill twice');
  return faults;
}

function modelFaults({ effort }: GivenProfile, model: string): string[] {
  const facts = factsOf(model);
  if (!facts) return [];
  const faults: string[] = [];
  const { efforts, thinking } = facts;
  if (effort === 'none') {
    if (!thinking.off)
      faults.push(`effort: ${model} always thinks; it takes ${efforts.join(', ')}`);
  } else if (effort !== undefined && !efforts.includes(effort satisfies Effort)) {
    const levels = ['none', ...efforts].join(', ');
    faults.push(`effort: ${model} does not take "${effort}"; it takes ${levels}`);
  }
  return faults;
}

const languages = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

function isLanguage(tag: string): boolean {
  try {
    return languages.of(tag) !== undefined;
  } catch {
    return false;
  }
}

function twice(
  profiles: readonly GivenProfile[],
  field: string,
  of: (profile: GivenProfile) => string | undefined,
): string[] {
  return profiles.flatMap((profile, index) => {
    const value = of(profile);
    const first = profiles.findIndex((other) => of(other) === value);
    if (value === undefined || first === index) return [];
    return [`${labelOf(index, profile)}: ${field}: "${value}" is that of profiles[${first}] too`];
  });
}

/** Documents without a profile of their own have one named `default`, so no other may have that name. */
function reservedName(profiles: readonly GivenProfile[]): string[] {
  if (profiles.some(({ prefix }) => prefix === '')) return [];
  const index = profiles.findIndex((profile) => nameOf(profile) === 'default');
  if (index < 0) return [];
  return [
    `${labelOf(index, profiles[index])}: name: "default" is the name of the profile of all other documents, which has the prefix ""`,
  ];
}
