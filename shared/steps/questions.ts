import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages';
import { readFields } from '../fields/reply.ts';
import { fieldsQuestionOf, fieldsRequest } from '../fields/request.ts';
import { RejectDocument } from '../journey/errors.ts';
import { type AnswerKind, askedBy, type Profile } from '../journey/profiles.ts';
import type { AnswerIn, AnswerRef, RepliedAnswer } from '../ledger/answer-item.ts';
import { contentIdOf } from '../ledger/content-id.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { codeQuestionOf, codeRequest } from '../summary/code-request.ts';
import { questionOf, roomFor, summaryRequest } from '../summary/prompt.ts';
import type { KeptReply } from './answer-store.ts';

/**
 * The questions that a profile asks about a document, one after the other: each is an answer of its own beside the
 * content, so a file with several questions keeps one `file_id`, and each is paid for once.
 */

/** One of the questions. */
export interface Question {
  kind: AnswerKind;
  ref: AnswerRef;
}

/** A question with its answer. */
export interface Answered extends Question {
  answer: RepliedAnswer;
}

type Schema = NonNullable<Profile['schema']>;

/** The questions, in the order in which they are asked. */
export function questionsOf(
  document: Pick<DocumentIn<'uploaded'>, 'key' | 'block' | 'contentSha256' | 'contentId'>,
  profile: Profile,
): Question[] {
  const contentId = contentIdOf(document);
  return askedBy(profile).map((kind) => {
    const question =
      kind === 'fields'
        ? fieldsQuestionOf(document, withSchema(profile))
        : isByCode(document)
          ? codeQuestionOf(profile)
          : questionOf(document, profile);
    return { kind, ref: { contentId, question } };
  });
}

/** Whether a document is asked about by the code execution tool. */
const isByCode = ({ block }: Pick<DocumentIn<'uploaded'>, 'block'>): boolean =>
  block === 'container_upload';

/** As `roomFor`. Code needs room that a first call of text does not, and what was run would be run again. */
export function roomOf(
  document: Pick<DocumentIn<'uploaded'>, 'block'>,
  profile: Profile,
): ReturnType<typeof roomFor> {
  const room = roomFor(profile);
  return isByCode(document) ? { ...room, first: room.most } : room;
}

/**
 * The request that asks a question.
 * @param first whether it has the room of a first call, or all the room that the profile gives
 */
export function requestOf(
  kind: AnswerKind,
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  { cut }: AnswerIn<'asking'>,
  first: boolean,
): MessageCreateParamsNonStreaming {
  const room = roomOf(document, profile);
  const maxTokens = first ? room.first : room.most;
  if (isByCode(document)) return codeRequest(document, profile, maxTokens);
  if (kind === 'summary') return summaryRequest(document, profile, maxTokens);
  return fieldsRequest(document, withSchema(profile), maxTokens, cut?.invalid);
}

/** Why a whole reply is not what the profile's schema asks for, or `undefined` when it is. */
export function invalidBecause(
  kind: AnswerKind,
  profile: Pick<Profile, 'schema'>,
  { content, stopReason }: KeptReply,
): string | undefined {
  if (kind !== 'fields' || stopReason !== 'end_turn') return undefined;
  const read = readFields(textOf(content), withSchema(profile).schema);
  return 'invalid' in read ? read.invalid : undefined;
}

/** The error of a document whose fields were invalid twice. */
export const invalidFields = (invalid: string): RejectDocument =>
  new RejectDocument({
    code: 'summarize.invalid_fields',
    message: `Claude's answer does not follow the schema of the profile: ${invalid}.`,
  });

/** The text of a reply. */
export const textOf = (content: KeptReply['content']): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

/** The profile of a question about fields, which has a schema. */
export function withSchema<Some extends Pick<Profile, 'schema'>>(
  profile: Some,
): Some & { schema: Schema } {
  const { schema } = profile;
  if (!schema) throw new Error('fields were asked for without a schema');
  return { ...profile, schema };
}
