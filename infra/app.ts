import { fileURLToPath } from 'node:url';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { WrongConfig } from '../shared/config/faults.ts';
import { deployedConfig } from './config.ts';
import { readContext, WrongContext } from './context.ts';
import { Dropline } from './dropline.ts';
import type { DroplineProps } from './settings.ts';

/**
 * Builds the app. Settings come from CDK context (`cdk deploy -c model=…`), so the stack that the local host
 * runs differs from a deployed one in these values only.
 * @param outdir where the cloud assembly is written; CDK's default when left out
 * @throws {WrongContext}, {WrongConfig}
 */
export function buildApp(props: DroplineProps = {}, outdir?: string): App {
  const app = new App(outdir ? { outdir } : {});
  const { reconcileEveryMinutes, ...fromContext } = readContext(app.node.getAllContext());
  // Before there is a stack: what CDK synthesises when the process ends must not hide the message.
  deployedConfig({ ...fromContext, ...props });
  const stack = new Stack(app, 'Dropline', {
    description: 'Dropline: files dropped in a bucket become Claude file_ids and summaries',
  });
  new Dropline(stack, 'Dropline', {
    ...fromContext,
    ...(reconcileEveryMinutes === undefined
      ? {}
      : { reconcileEvery: Duration.minutes(reconcileEveryMinutes) }),
    ...props,
  });
  return app;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    buildApp().synth();
  } catch (error) {
    if (!(error instanceof WrongContext || error instanceof WrongConfig)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
