import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  contentIdOf,
  contentName,
  contentNameOf,
  newContentId,
} from '../../shared/ledger/content-id.ts';

const contentSha256 = 'a'.repeat(64);

describe('the id of a content', () => {
  test.each([
    'text/plain',
    'application/pdf',
    'image/png',
    'image/jpeg',
    'image/gif',
    'image/webp',
  ])('is its SHA-256 alone where Claude reads the type itself: %s', (mimeType) => {
    expect(newContentId(contentSha256, mimeType)).toBe(contentSha256);
  });

  test.each([
    'text/csv',
    'application/octet-stream',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'text/plain; charset=utf-8',
    'application/pdf+x',
    'x-image/png',
    '',
  ])('names the type too where Claude does not: %j', (mimeType) => {
    const tag = createHash('sha256').update(mimeType).digest('hex').slice(0, 8);

    expect(newContentId(contentSha256, mimeType)).toBe(`${contentSha256}.${tag}`);
  });

  test('differs from type to type', () => {
    const ids = ['text/plain', 'text/csv', 'application/json'].map((mimeType) =>
      newContentId(contentSha256, mimeType),
    );

    expect(new Set(ids).size).toBe(3);
  });
});

describe('the name of a content', () => {
  test('is its hash where that is its id', () => {
    expect(contentName(contentSha256)).toEqual({ contentSha256 });
    expect(contentNameOf({ contentSha256 })).toEqual({ contentSha256 });
  });

  test('is its hash where a function of 0.1 named nothing else, whatever its type', () => {
    expect(contentIdOf({ contentSha256 })).toBe(contentSha256);
  });

  test('is its hash and its id where they differ', () => {
    const contentId = newContentId(contentSha256, 'text/csv');

    expect(contentName(contentId)).toEqual({ contentSha256, contentId });
    expect(contentNameOf({ contentSha256, contentId })).toEqual({
      contentSha256,
      contentId,
    });
  });
});
