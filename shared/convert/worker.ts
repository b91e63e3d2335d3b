import type { Answer, Job, SentError } from '../formats/sandbox/messages.ts';
import { takeRefusals } from '../formats/sandbox/no-network.ts';
import { DroplineError, RejectDocument, SkipDocument } from '../journey/errors.ts';

/**
 * The child process of `ConversionSandbox`: converts one document at a time. It is the entry of a
 * bundle of its own beside a Lambda's `index.mjs`, and runs from its source as well.
 */

// Loaded after `no-network.ts` has run, so that no library holds on to a working socket function.
const loading = import('./convert.ts');

function kindOf(error: DroplineError): SentError['kind'] {
  if (error instanceof RejectDocument) return 'RejectDocument';
  return error instanceof SkipDocument ? 'SkipDocument' : 'other';
}

function sent(error: unknown): SentError {
  if (error instanceof DroplineError) {
    const { code, message, advice } = error;
    return { kind: kindOf(error), code, message, advice };
  }
  if (!(error instanceof Error)) return { kind: 'other', code: '', message: String(error) };
  const code = 'code' in error ? String(error.code) : '';
  return { kind: 'other', code, message: error.message };
}

async function answer(job: Job): Promise<Answer> {
  takeRefusals();
  try {
    const { convert } = await loading;
    const conversion = await convert(job.input);
    return { id: job.id, conversion, refused: takeRefusals() };
  } catch (error) {
    return { id: job.id, error: sent(error), refused: takeRefusals() };
  }
}

process.on('message', (job: Job) => {
  void answer(job).then((result) => process.send?.(result));
});
// The parent is gone: nobody wants the answer.
process.on('disconnect', () => process.exit(0));
void loading.then(() => process.send?.('ready'));
