import type { TableSettings } from '../dynamodb/tables.ts';
import type { NotificationRule } from '../s3/events.ts';
import type { ScheduleSettings } from '../schedule/runner.ts';

/** A stack's resources, resolved for this machine. `id` is the logical id. */
export interface LocalResources {
  buckets: BucketResource[];
  queues: QueueResource[];
  tables: TableResource[];
  functions: FunctionResource[];
  eventSources: EventSourceResource[];
  schedules: ScheduleResource[];
  secrets: SecretResource[];
  outputs: Record<string, string>;
}

interface BucketResource {
  id: string;
  name: string;
  versioned: boolean;
  notifications: NotificationRule[];
}

/** Times in seconds. */
interface QueueResource {
  id: string;
  name: string;
  arn: string;
  visibilityTimeout: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  redrive?: { deadLetterArn: string; maxReceiveCount: number };
}

interface TableResource extends TableSettings {
  id: string;
  streamArn: string;
}

export interface FunctionResource {
  id: string;
  name: string;
  arn: string;
  /** Absolute path of the unpacked bundle. */
  taskRoot: string;
  handler: string;
  timeoutMs: number;
  memoryMb: number;
  environment: Record<string, string>;
}

export interface EventSourceResource {
  queueArn: string;
  functionId: string;
  batchSize: number;
  windowSeconds: number;
  reportsFailures: boolean;
  maxConcurrency: number | undefined;
}

export interface ScheduleResource extends ScheduleSettings {
  functionId: string;
}

interface SecretResource {
  id: string;
  name: string;
  arn: string;
  /** Its value according to the template. */
  value: string;
}

/** A synthesised stack: its template, and where its assets are. */
export interface Assembly {
  template: unknown;
  /** Directory of an asset by the hash in its S3 key. */
  assets: Map<string, string>;
}
