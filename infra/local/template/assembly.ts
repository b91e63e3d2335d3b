import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UnsupportedTemplate } from './intrinsics.ts';
import type { Assembly } from './resources.ts';

const manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z
        .object({ templateFile: z.string().optional(), file: z.string().optional() })
        .optional(),
    }),
  ),
});

const assetManifest = z.object({
  files: z
    .record(
      z.string(),
      z.object({ source: z.object({ path: z.string().optional(), packaging: z.string() }) }),
    )
    .default({}),
});

/**
 * Reads a cloud assembly (`cdk.out`) with one stack.
 * @throws {UnsupportedTemplate} when there is not exactly one
 */
export function readAssembly(dir: string): Assembly {
  const json = (file: string): unknown => JSON.parse(readFileSync(join(dir, file), 'utf8'));
  const artifacts = Object.values(manifest.parse(json('manifest.json')).artifacts);
  const templates = artifacts.flatMap(({ type, properties }) =>
    type === 'aws:cloudformation:stack' && properties?.templateFile
      ? [properties.templateFile]
      : [],
  );
  const [file] = templates;
  if (templates.length !== 1 || !file) {
    throw new UnsupportedTemplate(
      `The app has ${templates.length} stacks; the local host runs exactly one`,
    );
  }
  const assets = new Map<string, string>();
  for (const { type, properties } of artifacts) {
    if (type !== 'cdk:asset-manifest' || !properties?.file) continue;
    const { files } = assetManifest.parse(json(properties.file));
    for (const [hash, { source }] of Object.entries(files)) {
      if (source.packaging === 'zip' && source.path) assets.set(hash, join(dir, source.path));
    }
  }
  return { template: json(file), assets };
}
