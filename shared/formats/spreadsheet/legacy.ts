import { readFile } from 'node:fs/promises';
import {
  type CellObject,
  type ColInfo,
  type DenseWorkSheet,
  read,
  set_cptable,
  type WorkBook,
} from '@e965/xlsx';
import * as codePages from '@e965/xlsx/dist/cpexcel';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import { macrosWarning } from '../office/package.ts';
import { type ColumnRange, columnName, type Merge, type RowCell } from './cells.ts';
import { MergeFiller } from './merges.ts';
import { isoDate, type NumberText, numberTextFor, plainNumber } from './values.ts';
import { hiddenCells, hiddenSheets, uncalculatedFormulas } from './warnings.ts';
import type { SpreadsheetWriter } from './writer.ts';

// Workbooks before Excel 97 are in the code page of their country.
set_cptable(codePages);

/**
 * Limit for xls and xlsb, which SheetJS holds in memory as a whole. Larger files are rare, and the
 * rejection gives advice.
 */
const maxBytes = 64 * 1024 * 1024;

const errorNames: Record<number, string> = {
  0: '#NULL!',
  7: '#DIV/0!',
  15: '#VALUE!',
  23: '#REF!',
  29: '#NAME?',
  36: '#NUM!',
  42: '#N/A',
  43: '#GETTING_DATA',
};

/**
 * Reads the workbook at `path` into `writer`.
 * @throws RejectDocument `normalize.corrupt`, `normalize.encrypted`, `normalize.too_large`
 */
export async function readLegacyWorkbook(
  path: string,
  limits: Limits,
  writer: SpreadsheetWriter,
): Promise<Warning[]> {
  const workbook = parse(await readFile(path), limits);
  // SheetJS reads noise as an empty workbook.
  if (workbook.SheetNames.length === 0) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: 'The workbook is damaged: it has no sheets.',
    });
  }
  const numberText = numberTexts(workbook.Workbook?.WBProps?.date1904 === true);
  const hidden: string[] = [];
  let uncalculated = 0;
  for (const [index, name] of workbook.SheetNames.entries()) {
    const sheet = workbook.Sheets[name] as DenseWorkSheet | undefined;
    const isHidden = (workbook.Workbook?.Sheets?.[index]?.Hidden ?? 0) > 0;
    if (isHidden) hidden.push(name);
    writer.beginSheet({ name, remark: isHidden ? 'hidden' : undefined });
    uncalculated += await writeRows(sheet, numberText, writer);
    writer.endSheet();
  }
  return [
    ...hiddenSheets(hidden),
    ...hiddenCells(writer.hidden),
    ...uncalculatedFormulas(uncalculated),
    ...(workbook.vbaraw ? [macrosWarning] : []),
  ];
}

type CellNumberText = (value: number, format: string | number | undefined) => string;

/** Numbers as text, with one formatter for each format, made when it is first met. */
function numberTexts(date1904: boolean): CellNumberText {
  const formats = new Map<string, NumberText>();
  return (value, format) => {
    if (format === undefined || format === 'General') return plainNumber(value);
    const key = String(format);
    let text = formats.get(key);
    if (!text) {
      text = numberTextFor(format, date1904);
      formats.set(key, text);
    }
    return text(value);
  };
}

/**
 * Writes a sheet's rows and then its comments.
 * @returns how many formulas have no stored result
 */
async function writeRows(
  sheet: DenseWorkSheet | undefined,
  numberText: CellNumberText,
  writer: SpreadsheetWriter,
): Promise<number> {
  let uncalculated = 0;
  const comments: string[] = [];
  const hiddenColumns = (sheet?.['!cols'] ?? []).flatMap(
    (column: ColInfo | undefined, at: number): ColumnRange[] =>
      column?.hidden === true ? [[at, at]] : [],
  );
  const merges = new MergeFiller((sheet?.['!merges'] ?? []).map(mergeOf));
  const rows = sheet?.['!data'] ?? [];
  for (let row = 0; row < rows.length; row++) {
    const cells: RowCell[] = [];
    const held = rows[row] ?? [];
    for (let column = 0; column < held.length; column++) {
      const cell = held[column];
      if (!cell) continue;
      const read = cellText(cell, numberText);
      if (read.isUncalculated) uncalculated += 1;
      if (read.text !== '') cells.push({ column, text: read.text, isNumber: cell.t === 'n' });
      for (const comment of cell.c ?? []) {
        const by = comment.a ? ` (${comment.a})` : '';
        comments.push(
          `${columnName(column)}${row + 1}${by}: ${(comment.t ?? '').replace(/\s*\n\s*/g, ' ')}`,
        );
      }
    }
    const isHidden = sheet?.['!rows']?.[row]?.hidden === true;
    writer.row(merges.fill(row, cells), { isHidden, hiddenColumns });
    if (row % 1000 === 0) await writer.flush();
  }
  writer.list('Comments', comments);
  return uncalculated;
}

function parse(bytes: Buffer, limits: Limits): WorkBook {
  if (bytes.length > maxBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The workbook has ${bytes.length} bytes; the limit for this format is ${maxBytes}.`,
      advice: 'Save it as xlsx or CSV, which have no such limit, and drop that.',
    });
  }
  try {
    return read(bytes, {
      dense: true,
      cellDates: false,
      cellNF: true,
      // Without them, hidden columns are not read.
      cellStyles: true,
      cellHTML: false,
      cellText: false,
      cellFormula: true,
      bookVBA: true,
      sheetRows: Math.min(limits.maxRows, 1_048_576),
    });
  } catch (error) {
    const isEncrypted = error instanceof Error && /password|encrypt/i.test(error.message);
    throw new RejectDocument({
      code: isEncrypted ? 'normalize.encrypted' : 'normalize.corrupt',
      message: isEncrypted
        ? 'The workbook is protected by a password.'
        : 'The workbook is damaged and cannot be read.',
      cause: error,
    });
  }
}

function cellText(
  cell: CellObject,
  numberText: CellNumberText,
): { text: string; isUncalculated: boolean } {
  const { t: type, v: value } = cell;
  if (value === undefined || type === 'z') {
    return cell.f
      ? { text: `=${cell.f}`, isUncalculated: true }
      : { text: '', isUncalculated: false };
  }
  let text: string;
  if (type === 'e') text = errorNames[Number(value)] ?? String(cell.w ?? value);
  else if (type === 'b') text = value ? 'TRUE' : 'FALSE';
  else if (value instanceof Date) text = isoDate(value);
  else if (typeof value === 'number') text = numberText(value, cell.z);
  else text = String(value);
  return { text, isUncalculated: false };
}

function mergeOf(range: { s: { r: number; c: number }; e: { r: number; c: number } }): Merge {
  return { top: range.s.r, bottom: range.e.r, left: range.s.c, right: range.e.c };
}
