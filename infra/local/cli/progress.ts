import type { StepTally } from '../stack.ts';

/** Where progress goes: stderr, usually. */
export interface ProgressOutput {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
}

export interface ProgressState {
  total: number;
  done: number;
  failed: number;
  /** Documents that are held until a person acts. */
  held?: number;
  /** Codes of what documents are waiting for while the Claude API is down, one for each document. */
  waiting?: string[];
  tallies: StepTally[];
  now: number;
}

/** Plain output gets a line when this share more is done, and at least this often. */
const plainShare = 0.1;
const plainEveryMs = 10_000;

/** Progress: one line that is rewritten on a terminal, plain lines now and then elsewhere. */
export class Progress {
  readonly #out: ProgressOutput;
  #shown = '';
  #lastDone = 0;
  #lastAt = 0;

  constructor(out: ProgressOutput) {
    this.#out = out;
  }

  /** Shows the current state. */
  update(state: ProgressState): void {
    const text = describe(state);
    if (this.#out.isTTY) {
      const bar = barOf(state.done, state.total);
      this.#show(`${bar} ${text}`.slice(0, Math.max(this.#out.columns - 1, 20)));
      return;
    }
    const step = Math.max(1, state.total * plainShare);
    if (state.done - this.#lastDone < step && state.now - this.#lastAt < plainEveryMs) return;
    this.#lastDone = state.done;
    this.#lastAt = state.now;
    if (text !== this.#shown) this.#out.write(`${text}\n`);
    this.#shown = text;
  }

  /** Writes a separate line above the one that is rewritten. */
  say(line: string): void {
    const again = this.#shown;
    this.clear();
    this.#out.write(`${line}\n`);
    if (this.#out.isTTY && again !== '') this.#show(again);
  }

  /** Clears the line that is rewritten. */
  clear(): void {
    if (!this.#out.isTTY || this.#shown === '') return;
    this.#out.write('\r\u001b[2K');
    this.#shown = '';
  }

  #show(line: string): void {
    if (line === this.#shown) return;
    this.#out.write(`\r\u001b[2K${line}`);
    this.#shown = line;
  }
}

function describe(state: ProgressState): string {
  const { total, done, failed, held = 0, waiting = [], tallies, now } = state;
  const steps = tallies
    .filter(
      ({ finished, visible, inFlight, delayed }) => finished + visible + inFlight + delayed > 0,
    )
    .map(({ name, finished, visible, inFlight, delayed }) => {
      const open = visible + inFlight + delayed;
      return `${shortName(name)} ${finished}${open > 0 ? `+${open}` : ''}`;
    });
  const parts = [
    `${done}/${total} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(waiting.length > 0
      ? [`${waiting.length} waiting for Claude (${[...new Set(waiting)].sort().join(', ')})`]
      : []),
    ...steps,
  ];
  const busy = tallies.some(({ running, visible }) => running + visible > 0);
  const next = Math.min(...tallies.map(({ nextVisibleAt }) => nextVisibleAt ?? Infinity));
  if (!busy && done < total && Number.isFinite(next)) {
    parts.push(`next try in ${Math.max(Math.ceil((next - now) / 1000), 0)} s`);
  }
  return parts.join(' · ');
}

/** `dropline-normalize-function` → `normalize`. */
function shortName(name: string): string {
  return name.replace(/^dropline-/, '').replace(/-function$/, '');
}

const barWidth = 20;

function barOf(done: number, total: number): string {
  const full = total === 0 ? 0 : Math.round((done / total) * barWidth);
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
}
