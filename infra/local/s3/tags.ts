import { AwsError } from '../aws/errors.ts';
import type { ObjectHeaders } from './store.ts';

/** The header that brings an object's tags, under which they are kept with it; it is never sent back. */
export const tagsHeader = 'x-amz-tagging';

const mostTags = 10;

/** The tags of an object. */
export const tagsOf = (headers: ObjectHeaders): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(headers[tagsHeader] ?? ''));

/**
 * Tags as they are kept.
 * @throws {AwsError} BadRequest, InvalidTag
 */
export function checkTags(tags: readonly (readonly [string, string])[]): string {
  if (tags.length > mostTags) {
    throw new AwsError('BadRequest', `Object tags cannot be greater than ${mostTags}`);
  }
  const names = new Set(tags.map(([name]) => name));
  const isWrong = tags.some(
    ([name, value]) => name === '' || name.length > 128 || value.length > 256,
  );
  if (isWrong || names.size < tags.length) {
    throw new AwsError('InvalidTag', 'The tag provided was not a valid tag.');
  }
  return new URLSearchParams(Object.fromEntries(tags)).toString();
}

/** The headers of a response about an object: how many tags it has in place of the tags. */
export function withTagCount({ [tagsHeader]: tags, ...headers }: ObjectHeaders): ObjectHeaders {
  const count = tags === undefined ? 0 : new URLSearchParams(tags).size;
  return count === 0 ? headers : { ...headers, 'x-amz-tagging-count': String(count) };
}
