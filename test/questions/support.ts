import type { DocumentRecord } from '../../shared/journey/record.ts';
import type { QuestionReply } from '../../shared/questions/answer.ts';
import type { QuestionRequest } from '../../shared/questions/request.ts';

/** A ready document of text, whose id and file are named after its key. */
export function ready(key: string, changes: Partial<DocumentRecord> = {}): DocumentRecord {
  return {
    documentId: `id of ${key}`,
    bucket: 'inbox',
    key,
    sequencer: '01',
    status: 'ready',
    mimeType: 'text/plain',
    block: 'document',
    fileId: `file_${key.replace(/\W/g, '_')}`,
    attempts: {},
    profile: 'default',
    createdAt: '2026-11-27T12:00:00Z',
    updatedAt: '2026-11-27T12:00:00Z',
    revision: 4,
    ...changes,
  };
}

export const pdf = (key: string, pages?: number): DocumentRecord =>
  ready(key, {
    mimeType: 'application/pdf',
    ...(pages === undefined ? {} : { fidelity: { route: 'pdf', pages, warnings: [] } }),
  });

export const image = (key: string): DocumentRecord =>
  ready(key, { mimeType: 'image/png', block: 'image' });

export const now = Date.parse('2026-11-27T15:00:00Z');

/** Claude as a question sees it: counts what it is told, and answers with what it is told. */
export class StubClaude {
  readonly counted: Omit<QuestionRequest, 'max_tokens'>[] = [];
  readonly asked: QuestionRequest[] = [];
  tokens: number | Error = 1_000;
  reply: QuestionReply | Error = replyOf([{ type: 'text', text: 'Yes.' }]);

  async countTokens(request: Omit<QuestionRequest, 'max_tokens'>): Promise<number> {
    this.counted.push(request);
    if (this.tokens instanceof Error) throw this.tokens;
    return this.tokens;
  }

  async createMessage(request: QuestionRequest): Promise<QuestionReply> {
    this.asked.push(request);
    if (this.reply instanceof Error) throw this.reply;
    return this.reply;
  }
}

export function replyOf(
  content: QuestionReply['content'],
  changes: Partial<QuestionReply> = {},
): QuestionReply {
  return {
    model: 'claude-haiku-5-5',
    content,
    stop_reason: 'end_turn',
    usage: { input_tokens: 1_000, output_tokens: 100 },
    ...changes,
  };
}

/** An error of the API, as the official SDK and Dropline's client both have it. */
export const apiError = (status: number, message: string): Error =>
  Object.assign(new Error(message), { status });
