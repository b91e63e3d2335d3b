import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import Papa from 'papaparse';
import { type Container, checkContainer, containerFor } from './containers.ts';
import type { Fault } from './faults.ts';
import type { StoredFile } from './file-store.ts';
import type { MessageRequest } from './message-schema.ts';
import { isCodeExecution, type Prompt } from './prompt.ts';
import { isPausedTurn } from './prompt-blocks.ts';
import type { EmulatorState } from './state.ts';

/**
 * A stand-in for the code execution tool that runs no code. Every file in the container is profiled
 * (rows, columns and value ranges of delimited text). The profile and a chart of it become new, downloadable files, in
 * the blocks that the real tool would answer with.
 */

interface Execution {
  blocks: object[];
  /** Facts about the files for the answer to report. */
  facts: string[];
  container: Container;
  /** The turn ends here, and the next request is to continue it. */
  paused: boolean;
}

const largestProfiled = 256 * 1024 * 1024;

/**
 * Profiles the prompt's uploads, then draws them; undefined when there is no tool or no upload. A turn that is paused ends
 * after the profiles, and the request that continues it has the charts.
 */
export async function execute(
  state: EmulatorState,
  prompt: Prompt,
  request: MessageRequest,
  fault: Fault | undefined,
): Promise<Execution | undefined> {
  checkContainer(request);
  const tool = (request.tools ?? []).find(({ type }) => isCodeExecution(type));
  if (!tool || prompt.uploads.length === 0) return undefined;

  const continues = isPausedTurn(request);
  const container = containerFor(state, request);
  const paused = fault?.kind === 'pause_turn';
  const named = fault?.kind === 'made_name' ? fault.message : undefined;
  const blocks: object[] = [];
  const facts: string[] = [];
  const run = async (file: StoredFile, profile: Profile, made: Made) => {
    const stored = await keep(state, { ...made, name: named ?? made.name });
    blocks.push(...blocksOf(state, tool.type ?? '', file, stored, profile));
  };
  for (const file of prompt.uploads) {
    const profile = await profileOf(state, file);
    facts.push(describe(profile));
    if (!continues) await run(file, profile, profileFile(file, profile));
    if (!paused && profile.columns) await run(file, profile, chartFile(file, profile.columns));
  }
  return { blocks, facts, container, paused };
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

/** A file that a tool makes. */
interface Made {
  name: string;
  mimeType: string;
  content: string;
}

const stemOf = ({ filename }: StoredFile): string =>
  basename(filename, extname(filename)).slice(0, 240);

const profileFile = (file: StoredFile, profile: Profile): Made => ({
  name: `${stemOf(file)}.profile.json`,
  mimeType: 'application/json',
  content: `${JSON.stringify(profile, null, 2)}\n`,
});

/** A bar for the highest value of each column of numbers. */
function chartFile(file: StoredFile, columns: readonly Column[]): Made {
  const values = columns.flatMap(({ max }) => (max === undefined ? [] : [Math.max(max, 0)]));
  const highest = Math.max(...values, 1);
  const bars = values.map((value, index) => {
    const height = Math.round((value / highest) * 100);
    return `<rect x="${index * 30}" y="${100 - height}" width="20" height="${height}"/>`;
  });
  const content = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${values.length * 30} 100">${bars.join('')}</svg>\n`;
  return { name: `${stemOf(file)}.chart.svg`, mimeType: 'image/svg+xml', content };
}

/** Stores a file as made by a tool, so that it can be downloaded. */
async function keep(state: EmulatorState, made: Made): Promise<StoredFile> {
  const pending = state.files.begin();
  await pending.write(Buffer.from(made.content));
  return state.files.add(pending, {
    id: state.newId('file'),
    filename: made.name,
    mimeType: made.mimeType,
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
