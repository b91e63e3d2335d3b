import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { afterAll, expect, test } from 'vitest';
import { buildApp } from '../../infra/app.ts';
import { type Bundle, bundleFunction } from '../../infra/bundle.ts';
import type { DroplineProps } from '../../infra/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'dropline-synth-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const fileOf = (config: object): string => {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, JSON.stringify(config));
  return path;
};

type Template = {
  Resources: Record<
    string,
    { Type: string; Properties: { Environment: { Variables: Record<string, string> } } }
  >;
};

/** Synthesises without bundling. @returns what each bundle was to hold, and the variables of each function */
function synthesised(props: DroplineProps) {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const bundles: Record<string, Bundle> = {};
  const codeOf = (bundle: Bundle): lambda.Code => {
    bundles[bundle.name] = bundle;
    return lambda.Code.fromInline('exports.handler = undefined;');
  };
  buildApp({ ...props, codeOf }, outdir).synth();
  const json = readFileSync(join(outdir, 'Dropline.template.json'), 'utf8');
  const functions = Object.values((JSON.parse(json) as Template).Resources).filter(
    ({ Type }) => Type === 'AWS::Lambda::Function',
  );
  const variables = functions.map(({ Properties }) => Properties.Environment.Variables);
  return {
    bundles,
    of: (service: string) =>
      variables.find(({ POWERTOOLS_SERVICE_NAME: name }) => name === service) ?? {},
  };
}

test('the configuration goes into the bundles of the functions that need a profile, and no other', () => {
  const config = fileOf({ profiles: [{ prefix: '', model: 'claude-sonnet-5-5' }] });

  const { bundles, of } = synthesised({ config });

  const holding = Object.values(bundles)
    .filter(({ assets = [] }) => assets.some(({ to }) => to === 'dropline.config.json'))
    .map(({ name }) => name);
  expect(holding.toSorted()).toEqual(['normalize', 'reconcile', 'summarize', 'upload']);
  for (const name of holding) {
    expect(of(name)).toMatchObject({
      DROPLINE_CONFIG: 'dropline.config.json',
      CLAUDE_MODEL: 'claude-sonnet-5-5',
    });
  }
  expect(of('render')).not.toHaveProperty('DROPLINE_CONFIG');
});

test('without a configuration there is none in the bundles', () => {
  const { bundles, of } = synthesised({});

  const assets = Object.values(bundles).flatMap(({ assets: held = [] }) => held);
  expect(assets.filter(({ to }) => to === 'dropline.config.json')).toEqual([]);
  expect(of('summarize')).toMatchObject({
    DROPLINE_CONFIG: '',
    CLAUDE_MODEL: 'claude-haiku-5-5',
  });
});

test('a bundle holds the file as it is, beside the code that reads it', () => {
  const config = fileOf({ profiles: [{ prefix: 'a/' }] });
  const { bundles } = synthesised({ config });

  const made = bundleFunction(bundles.summarize ?? expect.fail('no bundle'));

  expect(readdirSync(made)).toEqual(expect.arrayContaining(['index.mjs', 'dropline.config.json']));
  expect(readFileSync(join(made, 'dropline.config.json'), 'utf8')).toBe(
    readFileSync(config, 'utf8'),
  );
});

test('its limits are those of the conversions, with the property', () => {
  const config = fileOf({ limits: { maxRows: 5 } });

  const { of } = synthesised({ config, limits: { maxPages: 7 } });

  for (const name of ['normalize', 'render']) {
    expect(JSON.parse(of(name).DROPLINE_LIMITS ?? '')).toEqual({ maxRows: 5, maxPages: 7 });
  }
});

test.each<[object, DroplineProps, string]>([
  [{ profiles: [{ prefix: '', efort: 'low' }] }, {}, 'profiles[0]: efort: unknown field'],
  [
    { profiles: [{ prefix: '', model: 'claude-sonnet-5-5' }] },
    { model: 'claude-opus-5-5' },
    'profiles[0]: model: is claude-sonnet-5-5',
  ],
  [{ limits: { maxSeconds: 900 } }, {}, 'limits: maxSeconds: the functions have no more than'],
  [
    { profiles: [{ prefix: 'a/', expiryDays: 30 }] },
    { dialect: 'beta' },
    'expiryDays: the beta dialect',
  ],
])('%j with %j is refused at synthesis', (given, props, reason) => {
  const config = fileOf(given);

  expect(() => synthesised({ ...props, config })).toThrow(reason);
});

test('a wrong file in the context ends the CDK app with one line', async () => {
  const app = fileURLToPath(new URL('../../infra/app.ts', import.meta.url));
  const config = fileOf({ profiles: [{ prefix: 'a/', mode: 'soon' }] });
  const env = { CDK_CONTEXT_JSON: JSON.stringify({ config }), CDK_OUTDIR: join(folder, 'wrong') };

  const ended = promisify(execFile)(process.execPath, [app], { env });

  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: `${config}: profiles[0] "a/": mode: must be one of now, batch, auto, off, not "soon" (see docs/profiles.md)\n`,
  });
});
