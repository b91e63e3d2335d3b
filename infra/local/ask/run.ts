import { ClaudeClient } from '../../../shared/claude/client.ts';
import type { QuestionAnswer } from '../../../shared/questions/answer.ts';
import { askQuestion } from '../../../shared/questions/ask.ts';
import { planQuestion, type QuestionPlan } from '../../../shared/questions/plan.ts';
import { UsageError } from '../cli/usage.ts';
import { DataDirUnavailable } from '../state/database.ts';
import { type AskCommand, readAskArguments } from './arguments.ts';
import { consentTo } from './cost.ts';
import { type AskData, openData } from './data.ts';
import {
  jsonOfAnswer,
  jsonOfTrouble,
  renderAnswer,
  renderLeftOut,
  renderPlan,
  renderTrouble,
} from './render.ts';
import { selectDocuments } from './select.ts';
import { Trouble, troubleOf } from './trouble.ts';
import { help } from './usage.ts';
import { visibleLine } from './visible.ts';

/** Everything outside that the command uses. */
export interface AskTerminal {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  /** Asks the person for yes or no; `undefined` when nobody is there. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Aborts when the person wants to stop. */
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Claude's rate limits are by the minute: a question waits for the next one, while a person watches. */
const maxRetryWaitMs = 60_000;

const exitCodes = { answered: 0, refused: 1, cut: 4 } as const;
const tooExpensive = 3;
const stopped = 130;

/**
 * Runs `npm run ask`.
 * @param apiKey ANTHROPIC_API_KEY of the environment; used only with `--live`
 * @returns the exit code
 */
export async function runAsk(
  args: string[],
  apiKey: string | undefined,
  terminal: AskTerminal,
): Promise<number> {
  const { stdout, stderr, signal } = terminal;
  let json = false;
  try {
    const command = readAskArguments(args, apiKey);
    if (command === 'help') {
      stdout.write(help);
      return 0;
    }
    json = command.json;
    const data = await openData(command, (line) => stderr.write(`${visibleLine(line)}\n`));
    try {
      return await answerWith(data, command, terminal);
    } finally {
      await data.close();
    }
  } catch (error) {
    if (signal.aborted) {
      stderr.write('Stopped.\n');
      return stopped;
    }
    if (error instanceof UsageError || error instanceof DataDirUnavailable) {
      stderr.write(`ask: ${visibleLine(error.message)} (see --help)\n`);
      return 2;
    }
    if (!(error instanceof Trouble)) throw error;
    if (json) stdout.write(jsonOfTrouble(error));
    stderr.write(renderTrouble(error));
    return error.exitCode;
  }
}

async function answerWith(
  data: AskData,
  command: AskCommand,
  terminal: AskTerminal,
): Promise<number> {
  const { url, isStandIn, ...access } = data.claude;
  const client = new ClaudeClient({ baseUrl: url, ...access, maxRetryWaitMs });
  try {
    const plan = await planOf(data, command, client, terminal);
    terminal.stderr.write(renderLeftOut(plan) + renderPlan(plan));
    await agree(plan, command, terminal);
    const answer = await answerOf(plan, client, terminal.signal);
    const { stdout } = terminal;
    stdout.write(command.json ? jsonOfAnswer(answer, plan) : renderAnswer(answer, plan, isStandIn));
    return exitCodes[answer.outcome];
  } finally {
    await client.close();
  }
}

async function planOf(
  { records, config }: AskData,
  command: AskCommand,
  client: ClaudeClient,
  { signal, now }: AskTerminal,
): Promise<QuestionPlan> {
  const { documents, named, missing } = await selectDocuments(records, command.wanted);
  const [first] = missing;
  if (first !== undefined) {
    throw new Trouble(
      'question.no_documents',
      `no document has the key or prefix ${missing.map((key) => JSON.stringify(key)).join(', ')}`,
      'Keys are those of the inbox, such as npm start prints them.',
    );
  }
  const { question, model = config.model, maxTokens, effort } = command;
  try {
    const plan = await planQuestion({
      documents,
      question,
      model,
      claude: { countTokens: (request) => client.countTokens(request, { signal }) },
      now: now(),
      maxTokens,
      effort,
      prices: config.prices,
    });
    refuseNamed(plan, named);
    return plan;
  } catch (error) {
    throw troubleOf(error, false) ?? error;
  }
}

/** A document that was named by its key is wanted: an answer without it would mislead. */
function refuseNamed({ leftOut }: QuestionPlan, named: ReadonlySet<string>): void {
  const one = leftOut.find(({ documentId }) => named.has(documentId));
  if (!one) return;
  throw new Trouble(
    'question.no_documents',
    `${JSON.stringify(one.key)} cannot be asked about: ${one.message}`,
    'Leave it out, or name a prefix: what cannot be asked about below one is left out. The files in an archive are below its key and "!".',
  );
}

async function agree(
  { estimate }: QuestionPlan,
  command: AskCommand,
  { confirm, signal }: AskTerminal,
): Promise<void> {
  const consent = consentTo(estimate, command, confirm !== undefined);
  if (consent.is === 'given') return;
  const { because } = consent;
  if (consent.is === 'needed' && confirm) {
    const agreed = await confirm(`${because[0]?.toUpperCase()}${because.slice(1)}. Ask? [y/N] `);
    signal.throwIfAborted();
    if (agreed) return;
    throw new Trouble('question.cost', 'not asked; nothing was billed', '', tooExpensive);
  }
  throw new Trouble('question.cost', `not asked: ${because}`, '', tooExpensive);
}

async function answerOf(
  plan: QuestionPlan,
  client: ClaudeClient,
  signal: AbortSignal,
): Promise<QuestionAnswer> {
  try {
    return await askQuestion(plan, {
      createMessage: (request) => client.createMessage(request, { signal }),
    });
  } catch (error) {
    throw troubleOf(error, true) ?? error;
  }
}
