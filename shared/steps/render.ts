import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limits } from '../formats/index.ts';
import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { pageTexts } from '../print/read-back.ts';
import type { Rendered } from '../print/types.ts';
import { attempt, resumeFromDeadLetter } from './attempt.ts';
import { withOriginal } from './original.ts';
import { releasePast } from './release-past.ts';
import { handToUpload, sendToUpload, stage } from './staging.ts';
import { withTextLayer } from './text-layer.ts';
import type { StepTools } from './tools.ts';

export interface RenderTools extends StepTools {
  /** Prints a docx to PDF; a `Renderer` outside of tests. */
  print: (input: { path: string; outDir: string }) => Promise<Rendered>;
  limits: Limits;
}

/**
 * Makes a PDF of a docx that text cannot carry. The order of writes is that of normalize: staged
 * bytes, the record `normalized`, the message to upload.
 */
export async function render(
  message: Extract<StepMessage, { step: 'render' }>,
  tools: RenderTools,
): Promise<Outcome> {
  const found = await tools.documents.get(message.documentId);
  if (found?.order !== message.order) return done;
  const document = await resumeFromDeadLetter(found, 'render', 'received', tools.documents);
  switch (document.status) {
    case 'received':
      return attempt('render', document, tools, () => print(document, tools));
    case 'normalized':
      await sendToUpload(document, tools);
      return done;
    case 'failed':
      await releasePast(document, tools);
      return done;
    default:
      return done;
  }
}

async function print(document: DocumentItem, tools: RenderTools): Promise<void> {
  await withOriginal(document, tools.limits, tools, async ({ path, outDir }) => {
    const rendered = await tools.print({ path, outDir });
    const printed = await stage(document, rendered, tools);
    const text = document.keepsText ? await printedText(rendered.path, outDir) : undefined;
    const staged = await withTextLayer(document, printed, text, tools);
    const made = { mimeType: rendered.mimeType, block: 'document', ...staged } as const;
    await handToUpload(
      'render',
      document,
      { ...made, fidelity: fidelityOf(document, rendered) },
      tools,
    );
  });
}

/** Writes the text of a printed PDF to a file: a printer of ours made it, so it is read here. */
async function printedText(path: string, outDir: string): Promise<string> {
  const target = join(outDir, 'text-layer.json');
  await writeFile(target, JSON.stringify(await pageTexts(path)));
  return target;
}

/** What normalize found in the docx, with what the renderer kept of it. */
function fidelityOf(document: DocumentItem, rendered: Rendered): DocumentItem['fidelity'] {
  const found = document.fidelity;
  return {
    route: 'docx→pdf',
    ...found,
    imagesFound: rendered.imagesFound,
    imagesKept: rendered.imagesKept,
    pages: rendered.pages,
    warnings: [...(found?.warnings ?? []), ...rendered.warnings],
  };
}
