import { fileURLToPath } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Dropline } from './dropline.ts';
import type { DroplineProps } from './settings.ts';

/**
 * Builds the app. Settings come from CDK context (`cdk deploy -c model=…`), so that the stack that
 * the local host runs and the one that is deployed differ in nothing but these values.
 * @param outdir where the cloud assembly is written; CDK's default when left out
 */
export function buildApp(props: DroplineProps = {}, outdir?: string): App {
  const app = new App(outdir ? { outdir } : {});
  const context = (name: string): string | undefined => app.node.tryGetContext(name);
  const dialect = context('dialect');
  const fromContext: DroplineProps = {
    ...(dialect === 'beta' || dialect === 'ga' ? { dialect } : {}),
    ...optional('model', context('model')),
    ...optional('claudeBaseUrl', context('claudeBaseUrl')),
    ...optional('apiKeySecretName', context('apiKeySecretName')),
    ...optional('alarmEmail', context('alarmEmail')),
    ...(context('renderer') === 'libreoffice' ? { renderer: 'libreoffice' as const } : {}),
  };
  const stack = new Stack(app, 'Dropline', {
    description: 'Dropline: files dropped in a bucket become Claude file_ids and summaries',
  });
  new Dropline(stack, 'Dropline', { ...fromContext, ...props });
  return app;
}

function optional<Name extends string>(name: Name, value: string | undefined) {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, string>);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildApp().synth();
