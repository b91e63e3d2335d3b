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
  words: string[];
  score: number;
}

/** The answer, or `undefined` when the prompt asks no question about documents. */
export function questionAnswer({ subjects, userTexts }: Prompt): TextBlock[] | undefined {
  const last = userTexts.at(-1);
  if (!last?.startsWith(`${questionHeading}\n`) || subjects.length === 0) return undefined;
  const hits = bestOf(hitsIn(subjects, wordsOf(last.slice(questionHeading.length))));
  const segments: Segment[] = [{ text: hits.length > 0 ? disclaimer : `${disclaimer} ${nothing}` }];
  for (const hit of hits) segments.push({ text: '\n- ' }, { text: hit.quote.shown, from: hit });
  for (const { material } of subjects) {
    if (material.kind === 'image') segments.push({ text: `\n- ${extractOf(material).remark}` });
  }
  return textBlocks(segments);
}

/** The passages that share a word with the question. A word that is in few of them counts for more. */
function hitsIn(subjects: readonly Subject[], question: ReadonlySet<string>): Hit[] {
  const hits = subjects.flatMap((subject) =>
    passagesOf(subject.material).flatMap((quote) => {
      const words = [...wordsOf(quote.shown)].filter((word) => question.has(word));
      return words.length === 0 ? [] : [{ subject, quote, words, score: 0 }];
    }),
  );
  const found = new Map<string, number>();
  for (const word of hits.flatMap(({ words }) => words))
    found.set(word, (found.get(word) ?? 0) + 1);
  return hits.map((hit) => ({
    ...hit,
    score: hit.words.reduce((sum, word) => sum + 1 / (found.get(word) ?? 1), 0),
  }));
}

/** The best of each document and of all, in the order of the documents. */
function bestOf(hits: readonly Hit[]): Hit[] {
  const byScore = (a: Hit, b: Hit) => b.score - a.score;
  const best = [...Map.groupBy(hits, ({ subject }) => subject).values()].flatMap((own) =>
    own.sort(byScore).slice(0, perDocument),
  );
  const kept = new Set(best.toSorted(byScore).slice(0, inAll));
  return best.filter((hit) => kept.has(hit));
}

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
