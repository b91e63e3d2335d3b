import type { Warning } from '../../journey/record.ts';

/** Warnings that the readers of all workbook formats share; none when there is nothing to report. */

/** @param names of the hidden sheets */
export function hiddenSheets(names: string[]): Warning[] {
  if (names.length === 0) return [];
  return [
    {
      code: 'normalize.hidden_text',
      message: `Hidden sheets were read too: ${names.join(', ')}.`,
    },
  ];
}

/** @param count formulas without a stored result */
export function uncalculatedFormulas(count: number): Warning[] {
  if (count === 0) return [];
  return [
    {
      code: 'normalize.formulas_uncalculated',
      message: `Formulas without a stored result were kept as formulas: ${count}.`,
    },
  ];
}
