import { questionHeading } from '../../../shared/questions/request.ts';
import { type Segment, type TextBlock, textBlocks } from './answer.ts';
import { extractOf, passagesOf, type Quote } from './extract.ts';
import type { Prompt } from './prompt.ts';
import type { Subject } from './prompt-draft.ts';

/**
 * The emulator's answer to a question about documents: of each, the passages that share the most words with the
 * question. Only the last text of the user is looked at, and only when it has the heading of a question.
 */

const disclaimer =
  'These are passages found by the Dropline emulator by the words of the question, not an answer by Claude.';
const nothing = 'No passage shares a word with the question.';

/** Most passages of one document, and of the answer. */
const perDocument = 2;
const inAll = 24;

interface Hit {
  subject: Subject;
  quote: Quote;
  score: number;
}

/** The answer, or `undefined` when the prompt asks no question about documents. */
export function questionAnswer({ subjects, userTexts }: Prompt): TextBlock[] | undefined {
  const last = userTexts.at(-1);
  if (!last?.startsWith(`${questionHeading}\n`) || subjects.length === 0) return undefined;
  const words = wordsOf(last.slice(questionHeading.length));
  const hits = subjects.flatMap((subject) => hitsIn(subject, words));
  const kept = new Set([...hits].sort((a, b) => b.score - a.score).slice(0, inAll));
  const segments: Segment[] = [{ text: hits.length > 0 ? disclaimer : `${disclaimer} ${nothing}` }];
  for (const hit of hits.filter((each) => kept.has(each))) {
    segments.push({ text: '\n- ' }, { text: hit.quote.shown, from: hit });
  }
  for (const { material } of subjects) {
    if (material.kind === 'image') segments.push({ text: `\n- ${extractOf(material).remark}` });
  }
  return textBlocks(segments);
}

function hitsIn(subject: Subject, words: ReadonlySet<string>): Hit[] {
  return passagesOf(subject.material)
    .map((quote) => ({ subject, quote, score: sharedWords(quote.shown, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, perDocument);
}

const sharedWords = (text: string, words: ReadonlySet<string>): number =>
  [...wordsOf(text)].filter((word) => words.has(word)).length;

/** Words of four letters or digits and more; of scripts without spaces, pairs of letters. */
function wordsOf(text: string): Set<string> {
  const lower = text.toLowerCase();
  const words = lower.match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  const runs = lower.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]{2,}/gu) ?? [];
  const pairs = runs.flatMap((run) =>
    Array.from(run)
      .slice(1)
      .map((letter, index) => `${Array.from(run)[index]}${letter}`),
  );
  // A plural is found by its singular.
  return new Set([...words.map((word) => word.replace(/s$/, '')), ...pairs]);
}
