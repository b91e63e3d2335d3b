import { createHash } from 'node:crypto';
import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages';
import type { Profile } from '../journey/profiles.ts';
import { type Asked, effortOf, promptOf, roomFor } from './prompt.ts';

/** The question about a dataset: a file in a container, in which Claude runs code. */

/** The tool as of 2025-08-25, with a shell; official SDK 1.14. */
const tool = { type: 'code_execution_20250825', name: 'code_execution' } as const;

/**
 * Values of `anthropic-beta` for a request. An API in which they are no longer beta ignores them.
 * Source: https://docs.claude.com/en/docs/build-with-claude/skills-guide
 * @returns `undefined` where the request runs no code
 */
export function betasOf({
  tools,
  container,
}: MessageCreateParamsNonStreaming): readonly string[] | undefined {
  if (!tools?.some(({ type }) => type === tool.type)) return undefined;
  const hasSkills = typeof container === 'object' && container?.skills;
  return ['code-execution-2025-08-25', ...(hasSkills ? ['skills-2025-10-02'] : [])];
}

/**
 * The Messages request about one dataset. As of every question, nothing in it is particular to one document.
 * @param profile with `code`
 * @param maxTokens of the whole turn, thinking and code included
 */
export function codeRequest(
  { fileId }: Pick<Asked, 'fileId'>,
  profile: Profile,
  maxTokens: number = roomFor(profile).most,
): MessageCreateParamsNonStreaming {
  const { model, code, context } = profile;
  const skills = code?.skills?.map(({ id, version = 'latest' }) => ({
    type: id.startsWith('skill_') ? ('custom' as const) : ('anthropic' as const),
    skill_id: id,
    version,
  }));
  const task =
    'Answer about the dataset in the container by running code. Save what readers should get as a file, such as a chart, as a file of its own. Write your answer last, in the layout you were given.';
  const notes = context === undefined ? [] : [`Context of the dataset: ${context}`];
  return {
    model,
    max_tokens: maxTokens,
    ...effortOf(profile),
    system: promptOf({ ...profile, prompt: code?.prompt }),
    tools: [tool],
    ...(skills && skills.length > 0 ? { container: { skills } } : {}),
    messages: [
      {
        role: 'user',
        content: [
          { type: 'container_upload', file_id: fileId },
          ...notes.map((text) => ({ type: 'text' as const, text })),
          { type: 'text', text: task },
        ],
      },
    ],
  };
}

/** The question about a dataset, hashed as `questionOf` hashes others. @returns 32 hex digits */
export function codeQuestionOf(profile: Profile): string {
  const request = codeRequest({ fileId: '' }, profile);
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32);
}
