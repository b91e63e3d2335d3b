import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import Papa from 'papaparse';
import type { StoredFile } from './file-store.ts';
import type { Tool } from './message-schema.ts';
import { isCodeExecution, type Prompt } from './prompt.ts';
import type { EmulatorState } from './state.ts';

/**
 * A stand-in for the code execution tool that runs no code. Every file in the container is profiled
 * (rows, columns and value ranges of delimited text). The profile becomes a new, downloadable file, in
 * the blocks that the real tool would answer with.
 */

interface Execution {
  blocks: object[];
  /** Facts about the files for the answer to report. */
  facts: string[];
  container: { id: string; expires_at: string; skills: null };
}

const containerLifeMs = 30 * 24 * 3600 * 1000;
const largestProfiled = 256 * 1024 * 1024;

/** Profiles the prompt's uploads; undefined when there is no tool or no upload. */
export async function execute(
  state: EmulatorState,
  prompt: Prompt,
  tools: readonly Tool[],
): Promise<Execution | undefined> {
  const tool = tools.find(({ type }) => isCodeExecution(type));
  if (!tool || prompt.uploads.length === 0) return undefined;

  const blocks: object[] = [];
  const facts: string[] = [];
  for (const file of prompt.uploads) {
    const profile = await profileOf(state, file);
    const made = await keep(state, file, profile);
    facts.push(describe(profile));
    blocks.push(...blocksOf(state, tool.type ?? '', file, made, profile));
  }
  const expiresAt = new Date(state.settings.now() + containerLifeMs).toISOString();
  const container = { id: state.newId('container'), expires_at: expiresAt, skills: null };
  return { blocks, facts, container };
}

interface Column {
  name: string;
  filled: number;
  min?: number;
  max?: number;
}

interface Profile {
  filename: string;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
  rows?: number;
  columns?: Column[];
}

async function profileOf(state: EmulatorState, file: StoredFile): Promise<Profile> {
  const { filename, mimeType, sizeBytes, sha256 } = file;
  const profile: Profile = { filename, mimeType, sizeBytes, sha256 };
  const delimited = /^text\/(csv|plain|tab-separated-values)$/.test(mimeType);
  if (!delimited || sizeBytes > largestProfiled) return profile;

  const columns: Column[] = [];
  let rows = -1;
  await new Promise<void>((resolve, reject) => {
    const input = createReadStream(state.files.path(file.id), 'utf8');
    Papa.parse<string[]>(input, {
      skipEmptyLines: true,
      step: ({ data }) => {
        rows++;
        if (rows === 0) columns.push(...data.map((name) => ({ name, filled: 0 })));
        else for (const [index, column] of columns.entries()) add(column, data[index] ?? '');
      },
      complete: () => resolve(),
      error: reject,
    });
  });
  return { ...profile, rows: Math.max(0, rows), columns };
}

function add(column: Column, value: string): void {
  if (value.trim() === '') return;
  column.filled++;
  const number = Number(value);
  if (Number.isNaN(number)) return;
  column.min = Math.min(column.min ?? number, number);
  column.max = Math.max(column.max ?? number, number);
}

function describe({ filename, sizeBytes, rows, columns }: Profile): string {
  if (rows === undefined || !columns) return `${filename} has ${sizeBytes} bytes.`;
  const names = columns.map(({ name }) => name).join(', ');
  return `${filename} has ${rows} rows and ${columns.length} columns: ${names}`.slice(0, 300);
}

/** Stores the profile as a file made by a tool, which can be downloaded. */
async function keep(state: EmulatorState, file: StoredFile, profile: Profile): Promise<StoredFile> {
  const stem = basename(file.filename, extname(file.filename)).slice(0, 240);
  const pending = state.files.begin();
  await pending.write(Buffer.from(`${JSON.stringify(profile, null, 2)}\n`));
  return state.files.add(pending, {
    id: state.newId('file'),
    filename: `${stem}.profile.json`,
    mimeType: 'application/json',
    downloadable: true,
  });
}

function blocksOf(
  state: EmulatorState,
  type: string,
  file: StoredFile,
  made: StoredFile,
  profile: Profile,
): object[] {
  const id = state.newId('srvtoolu');
  const caller = { type: 'direct' };
  const use = { type: 'server_tool_use', id, caller };
  const result = { stdout: `${describe(profile)}\n`, stderr: '', return_code: 0 };

  // The first version of the tool ran only Python; later ones have a shell.
  if (type === 'code_execution_20250522') {
    const code = `profile(${JSON.stringify(file.filename)})`;
    const content = [{ type: 'code_execution_output', file_id: made.id }];
    return [
      { ...use, name: 'code_execution', input: { code } },
      {
        type: 'code_execution_tool_result',
        tool_use_id: id,
        content: { type: 'code_execution_result', ...result, content },
      },
    ];
  }
  const content = [{ type: 'bash_code_execution_output', file_id: made.id }];
  return [
    { ...use, name: 'bash_code_execution', input: { command: `profile '${file.filename}'` } },
    {
      type: 'bash_code_execution_tool_result',
      tool_use_id: id,
      content: { type: 'bash_code_execution_result', ...result, content },
    },
  ];
}
