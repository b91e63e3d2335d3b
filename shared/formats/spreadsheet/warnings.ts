import type { Warning } from '../../journey/record.ts';
import { counted } from '../text/wording.ts';

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

/** Cells that a reader of the workbook does not see, with text in them. */
export interface HiddenCells {
  rows: number;
  columns: number;
  /** Cells whose own style hides them. */
  cells: number;
}

export function hiddenCells({ rows, columns, cells }: HiddenCells): Warning[] {
  const found = [
    ...(rows > 0 ? [counted(rows, 'hidden row')] : []),
    ...(columns > 0 ? [counted(columns, 'hidden column')] : []),
    ...(cells > 0
      ? [counted(cells, 'cell whose text is not shown', 'cells whose text is not shown')]
      : []),
  ];
  if (found.length === 0) return [];
  return [
    {
      code: 'normalize.hidden_text',
      message: `Read too, and marked as hidden: ${found.join(', ')}.`,
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
