import type { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Limits } from '../shared/formats/index.ts';
import type { Bundle } from './bundle.ts';

/** What a deployment can choose. Everything has a default. */
export interface DroplineProps {
  /** `ga` (default) or `beta`: which shape of the Files API the workspace speaks. */
  readonly dialect?: 'ga' | 'beta';
  /** Model that summarises when a profile names none. Default `claude-haiku-5-5`. */
  readonly model?: string;
  /** Base URL of the Claude API. Default `https://api.anthropic.com`. */
  readonly claudeBaseUrl?: string;
  /** File operations a minute the whole fleet may use. Default 500 (`ga`) or 100 (`beta`). */
  readonly filesPerMinute?: number;
  /** Functions of a step that may run at once; AWS wants at least 2. */
  readonly concurrency?: Partial<Record<'normalize' | 'render' | 'upload' | 'summarize', number>>;
  /** How often the reconciler runs. Default every 15 minutes. */
  readonly reconcileEvery?: Duration;
  /** Name of an existing Secrets Manager secret with the API key. Default: a new, empty one. */
  readonly apiKeySecretName?: string;
  /** Where alarms are sent. Default: alarms exist, but nobody is told. */
  readonly alarmEmail?: string;
  /** Key prefixes below which types that are not converted are uploaded for the code execution tool. */
  readonly containerUploads?: string[];
  /**
   * What prints docx to PDF. `libreoffice` makes the render function a container image, which needs
   * Docker where it is deployed from; it draws EMF, charts and SmartArt as Word shows them.
   */
  readonly renderer?: 'chromium' | 'libreoffice';
  /** Keep the remote file when its object is removed. Default false. */
  readonly keepRemoteFiles?: boolean;
  /** What a conversion may take, where the defaults (docs/formats.md) will not do. */
  readonly limits?: Partial<Limits>;
  /** Where a function's code comes from. Default: bundled from the sources. */
  readonly codeOf?: (bundle: Bundle) => lambda.Code;
}
