/** Why a question cannot be asked. */
export type CannotAskCode =
  | 'empty_question'
  | 'no_documents'
  | 'too_many_documents'
  | 'too_many_pages'
  | 'too_many_images'
  | 'too_long'
  | 'file_gone'
  | 'document_refused';

/** A document by what apps know it by. */
export interface NamedDocument {
  documentId: string;
  /** As S3 holds it. */
  key: string;
}

/**
 * A question that cannot be asked as it is. Nothing was billed. `code` is stable; the message names the numbers, and
 * `advice` says what to do.
 * @example
 * import { CannotAsk, planQuestion } from 'dropline-aws';
 * const claude = { countTokens: async () => 0 };
 * const none = planQuestion({ documents: [], question: 'Who?', model: 'claude-haiku-5-5', claude, now: Date.now() });
 * await none.catch((error) => {
 *   if (error instanceof CannotAsk) console.log(error.code); // prints no_documents
 * });
 */
export class CannotAsk extends Error {
  readonly code: CannotAskCode;
  readonly advice: string;
  /** The documents at fault, where it is about some of them. */
  readonly documents: readonly NamedDocument[];

  constructor(
    code: CannotAskCode,
    message: string,
    advice: string,
    { documents = [], cause }: { documents?: readonly NamedDocument[]; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CannotAsk';
    this.code = code;
    this.advice = advice;
    this.documents = documents;
  }
}
