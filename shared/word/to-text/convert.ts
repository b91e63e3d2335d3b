import { packageWarnings } from '../../formats/office/package.ts';
import { openXmlPackage } from '../../formats/safety/xml.ts';
import { writeTextConversion } from '../../formats/text/output.ts';
import type { Conversion, Converter } from '../../formats/types.ts';
import type { Fidelity, Warning } from '../../journey/record.ts';
import { beyondText, findingWarnings } from '../model/findings.ts';
import { readDocx } from './text.ts';

/**
 * A Word document (docx, docm, dotx, dotm) to Markdown-like text, or `render` when it holds what
 * text cannot carry: pictures, charts, diagrams, equations, text boxes, shapes, ink, phonetic
 * guides. Lines, watermarks and pictures outside the file do not require rendering.
 *
 * `imagesFound` counts each place where a picture is shown; the render step reports how many it kept.
 *
 * @throws RejectDocument `normalize.corrupt` and those of `openXmlPackage`
 */
export const convertDocx: Converter = async (input): Promise<Conversion> => {
  const zip = await openXmlPackage(input.path, input.limits);
  try {
    const { text, findings } = await readDocx(zip, input.limits);
    const warnings: Warning[] = findingWarnings(findings);
    warnings.push(...(await packageWarnings(zip, input.limits)));

    const imagesFound = findings.pictures + findings.absentPictures;
    const reasons = beyondText(findings);
    if (reasons.length > 0) {
      warnings.unshift({
        code: 'normalize.beyond_text',
        message: `Text alone cannot carry ${reasons.join(', ')}: the document becomes a PDF.`,
      });
      return {
        outcome: 'render',
        fidelity: { route: 'docx→pdf', imagesFound, warnings },
        parts: [],
      };
    }
    if (text === '') {
      warnings.push({
        code: 'normalize.no_text',
        message: 'The document contains no text.',
      });
    }
    const fidelity: Fidelity = { route: 'docx→text', imagesFound, imagesKept: 0, warnings };
    return await writeTextConversion(
      input.outDir,
      text || 'This document is blank.',
      fidelity,
      input.limits,
    );
  } finally {
    zip.close();
  }
};
