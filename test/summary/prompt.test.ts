import { describe, expect, test } from 'vitest';
import { defaultProfile } from '../../shared/journey/profiles.ts';
import { questionOf, summaryPrompt, summaryRequest, titleOf } from '../../shared/summary/prompt.ts';

const profile = defaultProfile('claude-haiku-5-5');

describe('the request for a summary', () => {
  test('asks about the file of a document with citations, as the profile says', () => {
    const request = summaryRequest({ fileId: 'file_1', block: 'document' }, profile);

    expect(request).toEqual({
      model: 'claude-haiku-5-5',
      max_tokens: 4_096,
      system: summaryPrompt,
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'file', file_id: 'file_1' },
              citations: { enabled: true },
            },
            { type: 'text', text: expect.stringContaining('Summarise this document') },
          ],
        },
      ],
    });
  });

  test('asks about an image without citations, which the API does not have for images', () => {
    const { messages } = summaryRequest({ fileId: 'file_1', block: 'image' }, profile);

    expect(messages[0]?.content[0]).toEqual({
      type: 'image',
      source: { type: 'file', file_id: 'file_1' },
    });
  });
});

describe('a question', () => {
  test('is 32 hex digits that stay the same', () => {
    expect(questionOf('document', profile)).toMatch(/^[0-9a-f]{32}$/);
    expect(questionOf('document', { ...profile })).toBe(questionOf('document', profile));
  });

  test.each([
    ['the model', 'document', { ...profile, model: 'claude-sonnet-5-5' }],
    ['the length', 'document', { ...profile, maxTokens: 100 }],
    ['the block', 'image', profile],
  ] as const)('differs with %s, on which the reply depends', (_, block, other) => {
    expect(questionOf(block, other)).not.toBe(questionOf('document', profile));
  });

  test.each([
    ['its name', { ...profile, name: 'contracts' }],
    ['whether other types are uploaded', { ...profile, containerUploads: true }],
  ])('does not depend on what of the profile the request has not: %s', (_, other) => {
    expect(questionOf('document', other)).toBe(questionOf('document', profile));
  });

  test('of the default profile is the one that the ledger has: a changed request is paid for again', () => {
    // Changing the prompt or the request makes every document's question a new one. If that is meant, change this.
    expect(questionOf('document', profile)).toBe('4194b166c230ab1a9b08ca693e49e5ae');
  });
});

describe('the title of a document whose answer has none', () => {
  test.each([
    ['reports/q3/sales.pdf', 'sales.pdf'],
    ['sales.pdf', 'sales.pdf'],
    ['folder/', 'folder/'],
    ['a\u0000b\u001b[31m\u202ec\u2028d\u200b.txt', 'ab[31mcd.txt'],
    [`x/${'ä'.repeat(300)}`, 'ä'.repeat(255)],
    [`x/${'🎉'.repeat(300)}`, '🎉'.repeat(255)],
  ])('is the name of %j', (key, title) => {
    expect(titleOf(key)).toBe(title);
  });
});
