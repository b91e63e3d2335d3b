import { localAccount, localRegion } from '../credentials.ts';
import { EventSource } from '../lambda/event-source.ts';
import { type Clock, ScheduleRunner } from '../schedule/runner.ts';
import type {
  EventSourceResource,
  LocalResources,
  ScheduleResource,
} from '../template/resources.ts';
import type { Closers } from './closers.ts';
import type { FunctionRegistry } from './functions.ts';
import type { Services } from './services.ts';

/** How long invocations that are almost done may still take when the host stops. */
const stopGraceMs = 1000;

export interface TriggersOptions {
  resources: LocalResources;
  services: Services;
  functions: FunctionRegistry;
  clock: Clock;
  redeliverAfter: number | undefined;
  onLog: (line: string) => void;
}

/** Starts what invokes the functions: the event sources of the queues, and the schedules. */
export function startTriggers(options: TriggersOptions, closers: Closers): EventSource[] {
  const { resources } = options;
  const sources = resources.eventSources.map((mapping) => eventSourceOf(mapping, options));
  const schedules = resources.schedules.map((schedule) => scheduleOf(schedule, options));
  for (const source of sources) source.start();
  for (const schedule of schedules) schedule.start();
  closers.add(async () => {
    for (const schedule of schedules) schedule.stop();
    await Promise.all(sources.map((source) => source.stop()));
    // What is almost done may finish; the rest is delivered again at the next start.
    const grace = new Promise((done) => setTimeout(done, stopGraceMs).unref());
    await Promise.race([Promise.all(sources.map((source) => source.idle())), grace]);
  });
  return sources;
}

function eventSourceOf(
  mapping: EventSourceResource,
  { services, functions, redeliverAfter, onLog }: TriggersOptions,
): EventSource {
  const target = functions.byId(mapping.functionId);
  const queue = services.queues.byArn(mapping.queueArn);
  if (!target || !queue)
    throw new Error(`No queue ${mapping.queueArn} or no function ${mapping.functionId}`);
  return new EventSource({
    ...mapping,
    queue,
    target,
    store: services.queues,
    concurrency: target.concurrency,
    region: localRegion,
    counters: services.counters,
    onError: (error) => onLog(`event source of ${queue.name}: ${String(error)}`),
    redeliverAfter,
  });
}

function scheduleOf(
  settings: ScheduleResource,
  { services, functions, clock }: TriggersOptions,
): ScheduleRunner {
  return new ScheduleRunner({
    settings,
    state: services.state,
    clock,
    region: localRegion,
    account: localAccount,
    fire: (event) => void functions.byId(settings.functionId)?.invoke(event),
  });
}
