import { z } from 'zod';
import { invalid } from './errors.ts';
import {
  type CountRequest,
  countSchema,
  type MessageRequest,
  messageSchema,
  sampling,
} from './message-schema.ts';

/** Checks the shape of a Messages body. Throws 400 with the name of the field. */
export function parseMessage(body: unknown, version: string): MessageRequest {
  const request = parse(messageSchema, body);
  if (version === '2023-06-01') return request;

  for (const name of Object.keys(sampling) as (keyof typeof sampling)[]) {
    if (request[name] !== undefined) {
      throw invalid(`${name}: Extra inputs are not permitted since anthropic-version 2026-10-21`);
    }
  }
  return request;
}

export function parseCount(body: unknown): CountRequest {
  return parse(countSchema, body);
}

const toolTypes = z.looseObject({ tools: z.array(z.looseObject({ type: z.string() })) });

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  for (const { type } of toolTypes.safeParse(body).data?.tools ?? []) {
    if (type !== 'custom' && !type.startsWith('code_execution_')) {
      throw invalid(`tools: the emulator has no tool of type ${type}`);
    }
  }
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(wordingOf(result.error.issues[0]));
}

/** The API's wording is pydantic's: `messages.0.content: Field required`. */
function wordingOf(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'The request is invalid';
  const path = issue.path.join('.');
  const at = path === '' ? '' : `${path}: `;

  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    return keys.map((key) => `${key}: Extra inputs are not permitted`).join('; ');
  }
  if (issue.input === undefined) return `${at}Field required`;
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that matched furthest is the one that was meant.
    const branches = issue.errors.map((branch) => branch[0]).filter((first) => first !== undefined);
    branches.sort((a, b) => b.path.length - a.path.length);
    const inner = branches[0];
    if (inner) return wordingOf({ ...inner, path: [...issue.path, ...inner.path] });
  }
  return `${at}${issue.message}`;
}

/** Whether any of the blocks has a `file_id`. */
export function refersToFiles({ messages }: CountRequest): boolean {
  return messages.some(
    ({ content }) =>
      typeof content !== 'string' &&
      content.some((block) => {
        if (block.type === 'container_upload') return true;
        return (
          (block.type === 'document' || block.type === 'image') && block.source.type === 'file'
        );
      }),
  );
}
