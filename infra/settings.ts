import type { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Limits } from '../shared/formats/index.ts';
import type { QueuedStep } from '../shared/journey/steps.ts';
import type { Bundle } from './bundle.ts';

/** File operations a minute that a workspace may make, by the form of the Files API. */
export const defaultFilesPerMinute = { ga: 500, beta: 100 } as const;

/** Seconds for which questions are collected for a Message Batch. */
export const defaultBatchSeconds = 120;

/** Days that the past is kept. */
export const defaultKeepPastDays = 7;

/** What a deployment can choose. Everything has a default. */
export interface DroplineProps {
  /** `ga` (default) or `beta`: which form of the Files API is used. */
  readonly dialect?: 'ga' | 'beta';
  /** Model that summarises unless a profile names another. Default `claude-haiku-5-5`. */
  readonly model?: string;
  /**
   * Path of `dropline.config.json`: profiles, prices and limits (docs/profiles.md). It is checked at synthesis and goes
   * into the bundles of the functions. `model`, `containerUploads` and `limits` must not contradict it.
   */
  readonly config?: string;
  /** Base URL of the Claude API. Default `https://api.anthropic.com`. */
  readonly claudeBaseUrl?: string;
  /** File operations a minute that the whole fleet may make. Default 500 (`ga`) or 100 (`beta`). */
  readonly filesPerMinute?: number;
  /** Maximum of concurrent invocations, by step; AWS requires at least 2. */
  readonly concurrency?: Partial<Record<QueuedStep, number>>;
  /** How often the reconciler runs. Default every 15 minutes. */
  readonly reconcileEvery?: Duration;
  /** Name of an existing Secrets Manager secret with the API key. Default: a new, empty one. */
  readonly apiKeySecretName?: string;
  /** Where alarms are sent. Default: alarms exist, but notify no one. */
  readonly alarmEmail?: string;
  /** Key prefixes below which types that are not converted are uploaded for the code execution tool. */
  readonly containerUploads?: string[];
  /**
   * What prints docx to PDF. `libreoffice` draws EMF, charts and SmartArt as Word shows them; it makes the
   * render function a container image, so deploying needs Docker.
   */
  readonly renderer?: 'chromium' | 'libreoffice';
  /** Keep the remote file when its object is removed. Default false. */
  readonly keepRemoteFiles?: boolean;
  /**
   * Days that old versions in the inbox, the reconciler's reports and what removed documents said are kept. Default 7.
   * S3 counts whole days, from 1.
   */
  readonly keepPastDays?: number;
  /**
   * Documents in a row that may fail with the same fault of the deployment (a model that does not exist) before all
   * others are held. Default 5.
   */
  readonly brakeAfter?: number;
  /**
   * Seconds, 1 to 900, for which questions of profiles with the mode `batch` or `auto` are collected for one Message Batch,
   * and between looks at those under way. Default 120.
   */
  readonly batchSeconds?: number;
  /** Limits of a conversion that replace the defaults (docs/formats.md). */
  readonly limits?: Partial<Limits>;
  /** Where a function's code comes from. Default: bundled from the sources. */
  readonly codeOf?: (bundle: Bundle) => lambda.Code;
}
