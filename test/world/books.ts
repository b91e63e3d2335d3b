/** What the ledger's items say about calls that may have been paid. */
export interface Books {
  /** Calls that the books count. */
  calls: number;
  /** Distinct questions about distinct contents. */
  questions: number;
}

/** Reads the cost entries and answers among a table's items. */
export function booksOf(items: Record<string, unknown>[]): Books {
  /** Calls by answer: one that was removed and asked again is another. */
  const booked = new Map<string, number>();
  for (const { pk, sk } of items) {
    if (!String(pk).startsWith('COST#')) continue;
    const answer = String(sk).split('#').slice(0, 3).join('#');
    booked.set(answer, (booked.get(answer) ?? 0) + 1);
  }
  for (const item of items.filter(({ sk }) => String(sk).startsWith('ANSWER#'))) {
    const contentId = String(item.pk).slice('CONTENT#'.length);
    const answer = `${contentId}#${item.question}#${item.life}`;
    booked.set(answer, Math.max(booked.get(answer) ?? 0, Number(item.calls)));
  }
  const questions = new Set([...booked.keys()].map((answer) => answer.replace(/#[^#]*$/, '')));
  const calls = [...booked.values()].reduce((sum, each) => sum + each, 0);
  return { calls, questions: questions.size };
}
