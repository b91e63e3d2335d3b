import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { processBatch } from '../shared/aws/batch.ts';
import { stepMessageOf } from '../shared/aws/events.ts';
import type { StepMessage } from '../shared/journey/messages.ts';
import type { Outcome } from '../shared/journey/outcome.ts';
import type { QueuedStep } from '../shared/journey/steps.ts';
import type { Ports } from './ports.ts';
import { queueUrlOf, type Settings } from './settings.ts';

/** A step as a Lambda function: its settings, its tools, and what it does with a message. */
export interface StepFunction<Name extends keyof Settings, Tools, Extra = object> {
  step: QueuedStep;
  /** Settings it reads from its environment. */
  settings: readonly Name[];
  /** Builds its tools. `Extra` are the ports that only this step uses, such as the sandbox or the browser. */
  tools: (ports: Ports & Extra, settings: Pick<Settings, Name>) => Tools;
  /** Handles the body of one message. */
  work: (body: string, tools: Tools) => Promise<Outcome>;
}

/**
 * The handler of a step's queue: each record of a batch is handled on its own.
 * @param ports the function's ports, including `Extra`
 * @param settings the settings from its environment
 */
export function stepHandler<Name extends keyof Settings, Tools, Extra>(
  { step, tools, work }: StepFunction<Name, Tools, Extra>,
  ports: Ports & Extra,
  settings: Pick<Settings, Name>,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const ready = tools(ports, settings);
  const batch = { ...ports, queueUrl: queueUrlOf(step, settings) };
  return (event, context) => processBatch(event, context, batch, (body) => work(body, ready));
}

/**
 * The message in a body from the queue of `step`.
 * @param names the kinds of messages that this queue carries
 * @throws UnreadableMessage when it is not a message; Error when it is of another kind, which is a bug
 */
export function messageFor<Name extends StepMessage['step']>(
  step: QueuedStep,
  body: string,
  names: readonly Name[],
): Extract<StepMessage, { step: Name }> {
  const message = stepMessageOf(body);
  if ((names as readonly string[]).includes(message.step)) {
    return message as Extract<StepMessage, { step: Name }>;
  }
  throw new Error(`a message for ${message.step} is in the queue of ${step}`);
}
