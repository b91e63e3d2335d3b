import { createRenderer } from '../../shared/print/index.ts';
import { lambdaHandler } from '../runtime.ts';
import { renderStep } from './step.ts';

/** Prints with the browser in the bundle, or with LibreOffice. */
export const handler = lambdaHandler(renderStep, (settings) => {
  const printer = createRenderer();
  const { browserPath, sofficePath, renderer, limits } = settings;
  return {
    print: (input) =>
      printer.render({
        ...input,
        timeoutMs: limits.maxSeconds * 1_000,
        renderer,
        ...(browserPath ? { browserPath } : {}),
        ...(sofficePath ? { sofficePath } : {}),
      }),
  };
});
