import Anthropic, { toFile } from '@anthropic-ai/sdk';
import PDFDocument from 'pdfkit';
import sharp from 'sharp';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../infra/local/claude/index.ts';

/** Emulators and clients for the tests. */

export const model = 'claude-haiku-5-5';
export const filesBeta = 'files-api-2025-04-14';

/** An emulator that ends with its test, without a limit on files unless the test is about it. */
export async function emulate(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ filesPerMinute: Infinity, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** The official client without retries: the test sees exactly what the emulator answers. */
export function sdkClient(
  { url }: Pick<Emulator, 'url'>,
  options: ConstructorParameters<typeof Anthropic>[0] = {},
): Anthropic {
  return new Anthropic({ apiKey: 'test-key', baseURL: url, maxRetries: 0, ...options });
}

export async function textUpload(text: string, name = 'note.txt'): Promise<File> {
  return toFile(Buffer.from(text), name, { type: 'text/plain' });
}

/** A clock that moves only by `advance`. */
export function makeClock(start = Date.parse('2026-11-22T12:00:00Z')) {
  let time = start;
  return {
    now: () => time,
    advance(ms: number) {
      time += ms;
    },
  };
}

/** A PDF with one page for each text. */
export function makePdf(pages: string[], options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  const document = new PDFDocument({ ...options, autoFirstPage: false });
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
    for (const text of pages) document.addPage().text(text);
    document.end();
  });
}

export function makePng(width: number, height: number): Promise<Buffer> {
  const create = { width, height, channels: 3 as const, background: '#3366cc' };
  return sharp({ create }).png().toBuffer();
}

export interface RawAnswer<T = unknown> {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: T;
}

export const plainHeaders = { 'x-api-key': 'test-key', 'anthropic-version': '2023-06-01' };

/** A request that the official client would never send. */
export async function raw<T = unknown>(
  { url }: Emulator,
  method: 'GET' | 'POST' | 'DELETE' | 'PUT',
  path: string,
  options: { headers?: Record<string, string>; body?: string | Buffer | object } = {},
): Promise<RawAnswer<T>> {
  const { headers = plainHeaders, body } = options;
  const json = typeof body === 'object' && !Buffer.isBuffer(body);
  const {
    statusCode,
    headers: answered,
    body: stream,
  } = await request(url + path, {
    method,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
    body: json ? JSON.stringify(body) : (body ?? null),
  });
  const text = await stream.text();
  return { status: statusCode, headers: answered, body: parse(text) as T };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const boundary = 'test-boundary';

export interface RawPart {
  disposition: string | Buffer;
  type?: string;
  content: string | Buffer;
}

/** A multipart body with exactly these bytes in its headers. */
export function multipart(parts: RawPart[]): Buffer {
  const pieces = parts.flatMap(({ disposition, type, content }) => [
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; `),
    Buffer.from(disposition),
    Buffer.from(`${type === undefined ? '' : `\r\ncontent-type: ${type}`}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

/** Uploads such a body. */
export function rawUpload<T = unknown>(
  emulator: Emulator,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<RawAnswer<T>> {
  return raw(emulator, 'POST', '/v1/files', {
    headers: {
      ...plainHeaders,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...headers,
    },
    body,
  });
}

/** A user message that asks about files as documents, with citations. */
export function askAbout(ids: string[], enabled = true): Anthropic.MessageParam {
  return {
    role: 'user',
    content: [
      ...ids.map((file_id) => ({
        type: 'document' as const,
        source: { type: 'file' as const, file_id },
        citations: { enabled },
      })),
      { type: 'text', text: 'Summarize.' },
    ],
  };
}

export function messageText(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

export function citationsOf(message: Anthropic.Message): Anthropic.TextCitation[] {
  return message.content.flatMap((block) => (block.type === 'text' ? (block.citations ?? []) : []));
}
