import { createHash } from 'node:crypto';
import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages';
import type { Profile } from '../journey/profiles.ts';
import {
  type Asked,
  asked,
  documentBlocks,
  documentIsData,
  effortOf,
  languageName,
  roomFor,
} from '../summary/prompt.ts';
import { replySchema, type Schema } from './schema.ts';

type Params = MessageCreateParamsNonStreaming;

function promptOf({ prompt, language }: Profile): string {
  return [
    `You read one document and fill in fields for a program.\n${documentIsData}`,
    'Take every value from the document. What it does not say is left out, or null, or empty, as the schema allows; nothing is guessed, nothing is calculated unless a description asks for it.',
    [
      'For each value in `data` give one entry in `evidence`:',
      '- `path`: the JSON Pointer of the value within `data`, such as /total or /parties/0/name',
      '- `quote`: the shortest passage that shows the value, with the words around it that tell what it is. Copy it letter for letter from one place in the document, also where the value is written differently there.',
    ].join('\n'),
    ...(language === undefined
      ? []
      : [
          `Write texts of your own in ${languageName(language)}; quotes stay in the language of the document.`,
        ]),
    ...(prompt === undefined ? [] : [asked(prompt)]),
  ].join('\n\n');
}

/**
 * The Messages request that fills in the fields of a profile's schema, by structured output. The API refuses citations
 * with it, so each value comes with a quote instead.
 * @param maxTokens one of `roomFor`; the most by default
 * @param invalid what was wrong with the reply before
 */
export function fieldsRequest(
  document: Asked,
  profile: Profile & { schema: Schema },
  maxTokens: number = roomFor(profile).most,
  invalid?: string,
): Params {
  const task = 'Fill in the fields from this document, with a quote for each value.';
  const again =
    invalid === undefined
      ? ''
      : `\nAn answer to this before did not follow the schema: ${invalid}. Follow it exactly.`;
  const effort = effortOf(profile);
  return {
    model: profile.model,
    max_tokens: maxTokens,
    ...effort,
    output_config: {
      ...effort.output_config,
      format: { type: 'json_schema', schema: replySchema(profile.schema) },
    },
    system: promptOf(profile),
    messages: [
      {
        role: 'user',
        content: [
          ...documentBlocks(document, { ...profile, citations: false }),
          { type: 'text', text: `${task}${again}` },
        ],
      },
    ],
  };
}

/** The question that a profile's schema asks about a content, as `questionOf` makes that of a summary. */
export function fieldsQuestionOf(
  document: Omit<Asked, 'fileId'>,
  profile: Profile & { schema: Schema },
): string {
  const request = fieldsRequest({ ...document, fileId: '' }, profile);
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32);
}
