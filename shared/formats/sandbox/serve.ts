import { DroplineError, RejectDocument, SkipDocument } from '../../journey/errors.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import type { Job, JobAnswer, SentError } from './messages.ts';
// Importing this fixes the time zone and the locale of the process.
import './fixed-place.ts';
// Importing this takes the network away from the process.
import { takeRefusals } from './no-network.ts';

/** The child's half of `ConversionSandbox`: answers one job at a time, says `ready` once loaded. */

/**
 * Serves the parent until it disconnects.
 * @param load imports the conversion itself. It is called here, after `no-network.ts` has run, so
 *   that no library keeps a working socket function, or a function of the machine's locale.
 */
export function serveConversions(
  load: () => Promise<(input: ConvertInput) => Promise<Conversion>>,
): void {
  const loading = load();

  const answer = async (job: Job): Promise<JobAnswer> => {
    takeRefusals();
    try {
      const convert = await loading;
      const conversion = await convert(job.input);
      return { id: job.id, conversion, refused: takeRefusals() };
    } catch (error) {
      return { id: job.id, error: sent(error), refused: takeRefusals() };
    }
  };

  process.on('message', (job: Job) => {
    void answer(job).then((result) => process.send?.(result));
  });
  // The parent is gone, so there is no one to answer.
  process.on('disconnect', () => process.exit(0));
  void loading.then(() => process.send?.('ready'));
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

function kindOf(error: DroplineError): SentError['kind'] {
  if (error instanceof RejectDocument) return 'RejectDocument';
  return error instanceof SkipDocument ? 'SkipDocument' : 'other';
}
