import { z } from 'zod';
import { efforts } from '../claude/models.ts';
import { limitsSchema } from '../formats/index.ts';

/**
 * The shape of `dropline.config.json`: the one source of the checks at start and at synthesis, and of the published
 * docs/config.schema.json. It has only what this version does. Rules across fields are in check.ts.
 */

/** Characters that an S3 tag and a metadata header can both carry. */
export const profileName = /^[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,63}$/;

const usd = z.number().nonnegative();
const factor = z.number().nonnegative();

/** What is asked with the code execution tool. */
export const codeSchema = z.strictObject({
  prompt: z
    .string()
    .min(1)
    .max(20_000)
    .describe('What is asked about each dataset; Claude answers it by running code.'),
  types: z
    .array(z.string().min(1).max(20))
    .max(100)
    .optional()
    .describe(
      'File name extensions, in lower case and without the dot, that go up as they are. csv, tsv and xlsx always do.',
    ),
  skills: z
    .array(
      z.strictObject({
        id: z
          .string()
          .min(1)
          .max(64)
          .describe('Such as "xlsx" of Anthropic\'s own, or "skill_…" of the workspace.'),
        version: z.string().min(1).max(64).optional().describe('"latest" by default.'),
      }),
    )
    .max(8)
    .optional()
    .describe('Skills that are loaded into the container; at most 8.'),
});

export const profileSchema = z.strictObject({
  prefix: z
    .string()
    .max(1_024)
    .optional()
    .describe(
      'Keys that begin so have this profile; the longest such prefix wins. "" is every key. Without a prefix, only objects that ask for the profile by name have it.',
    ),
  name: z
    .string()
    .regex(profileName)
    .optional()
    .describe(
      'Stands in records and cost entries, and is what an object asks for with the metadata or tag `dropline-profile`. By default the prefix without its last slash; "default" for the prefix "".',
    ),
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Model that summarises. By default that of the profile with the prefix "".'),
  effort: z
    .enum(['none', ...efforts])
    .optional()
    .describe(
      'How much the model works on an answer: thinking is billed as output. By default the lowest that the model takes. "none" keeps it from thinking, where the model can be kept from it.',
    ),
  mode: z
    .enum(['now', 'batch', 'auto', 'off'])
    .default('now')
    .describe(
      '"now": summarised at once, by one call. "batch": in Message Batches, at half the price, within a day and mostly within an hour. "auto": in batches while more than `batchAbove` documents wait, else at once. "off": uploaded and not summarised.',
    ),
  batchAbove: z
    .int()
    .min(0)
    .optional()
    .describe(
      'How many documents must wait to be summarised for "auto" to use batches, by default 100.',
    ),
  maxTokens: z
    .int()
    .min(256)
    // More would take a model longer than a function may wait, and what was waited for in vain is paid for.
    .max(32_000)
    .optional()
    .describe(
      'Most output tokens of a call, thinking included. At an effort below medium the first call has at most 4,096, at medium 8,192; an answer that is cut off there is asked for once more with this many. By default 16,384, or 4,096 for a model that Dropline does not know.',
    ),
  prompt: z
    .string()
    .min(1)
    .max(20_000)
    .optional()
    .describe('What readers want to know. Claude follows it within the layout.'),
  layout: z
    .enum(['summary', 'free'])
    .default('summary')
    .describe(
      '"summary": title, language, summary and key points. "free": whatever the prompt asks for, kept as the text of the summary.',
    ),
  context: z
    .string()
    .min(1)
    .max(5_000)
    .optional()
    .describe('Sent with each document as its context; Claude does not cite from it.'),
  title: z
    .boolean()
    .default(false)
    .describe(
      "Whether the file's name is sent as the title. Then files with the same content and other names are asked about one by one.",
    ),
  citations: z
    .boolean()
    .default(true)
    .describe('Whether the summary cites its passages. Images have no citations.'),
  language: z
    .string()
    .optional()
    .describe('BCP 47 tag of the language to write in, by default that of the document.'),
  keyPoints: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Most key points; 0 leaves them out. By default three to seven.'),
  schema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'JSON Schema of the fields to fill in, an object. Each value comes with a quote that is looked for in the document. Only what structured output of the Messages API supports.',
    ),
  summary: z
    .boolean()
    .default(true)
    .describe(
      'Whether a summary is asked for. With false, the fields of the schema are all: one call instead of two.',
    ),
  code: codeSchema
    .optional()
    .describe(
      'Tables go up as they are, and Claude answers about them with the code execution tool. The files it makes are in the record.',
    ),
  expiryDays: z
    .int()
    .min(7)
    .max(90)
    .optional()
    .describe(
      'Days after which the file at Claude expires. While a document refers to it, the reconciler renews it three days before. By default never. Not in the beta dialect.',
    ),
  maxUsdPerDocument: z
    .number()
    .positive()
    .optional()
    .describe(
      'The most in USD that the answer about one document may cost, by default 1. A document that may cost more ends failed before it is paid for.',
    ),
  allowUnknownPrice: z
    .boolean()
    .default(false)
    .describe(
      'Whether a model whose price is not known may be asked although there is a budget. The budget does not count what it costs.',
    ),
  containerUploads: z
    .boolean()
    .default(false)
    .describe(
      'Whether a type that Dropline does not convert is uploaded as it is, for the code execution tool, and not summarised.',
    ),
});

export const priceSchema = z.strictObject({
  input: usd.describe('USD per million input tokens.'),
  output: usd.describe('USD per million output tokens.'),
  above: z
    .strictObject({
      promptTokens: z.int().positive().describe('The step applies to longer prompts.'),
      input: usd,
      output: usd,
    })
    .optional()
    .describe('What long prompts cost, where that is another price.'),
  cacheWrite: factor.default(1.25).describe('Writing to the cache, as a multiple of input.'),
  cacheWrite1h: factor.default(2).describe('Writing to the cache for an hour.'),
  cacheRead: factor.default(0.1).describe('Reading from the cache, as a multiple of input.'),
  batch: factor.default(0.5).describe('Factor on all prices in a Message Batch.'),
  source: z.string().optional().describe('Where the price is from, for people.'),
});

export const budgetSchema = z
  .strictObject({
    dailyUsd: usd.optional().describe('The most in USD for one UTC day.'),
    monthlyUsd: usd.optional().describe('The most in USD for one UTC month.'),
  })
  .refine(({ dailyUsd, monthlyUsd }) => dailyUsd !== undefined || monthlyUsd !== undefined, {
    message: 'needs dailyUsd, monthlyUsd or both',
  });

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where editors find this schema.'),
    profiles: z
      .array(profileSchema)
      .max(1_000)
      .default([])
      .describe('How documents are treated, by key prefix or by name.'),
    prices: z
      .record(z.string().min(1), priceSchema)
      .default({})
      .describe('Prices of models by id. They replace those that Dropline knows.'),
    budget: budgetSchema
      .optional()
      .describe('What may be spent on answers. Documents that it does not pay are held.'),
    limits: limitsSchema
      .strict()
      .optional()
      .describe('Limits of a conversion, by name; docs/formats.md explains each.'),
  })
  .describe('Configuration of Dropline: docs/profiles.md explains it.');

export type GivenProfile = z.output<typeof profileSchema>;
