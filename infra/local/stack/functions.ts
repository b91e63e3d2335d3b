import { join } from 'node:path';
import type { Callers } from '../callers.ts';
import { LocalFunction } from '../lambda/local-function.ts';
import { RuntimeApi } from '../lambda/runtime-api.ts';
import type { LocalResources } from '../template/resources.ts';
import type { Closers } from './closers.ts';
import type { Endpoints } from './services.ts';
import { environmentOf } from './variables.ts';

/** There is no function of that name. */
export class UnknownFunction extends Error {
  override readonly name = 'UnknownFunction';
}

/** The functions of the stack, found by logical id, by name, or by what stands in the name: `reconcile`. */
export class FunctionRegistry {
  readonly #byId = new Map<string, LocalFunction>();

  add(id: string, fn: LocalFunction): void {
    this.#byId.set(id, fn);
  }

  all(): LocalFunction[] {
    return [...this.#byId.values()];
  }

  byId(id: string): LocalFunction | undefined {
    return this.#byId.get(id);
  }

  find(name: string): LocalFunction | undefined {
    const all = [...this.#byId];
    const found = all.find(([id, { settings }]) => id === name || settings.name === name);
    const short = all.find(([, { settings }]) => shortName(settings.name) === name.toLowerCase());
    return (found ?? short)?.[1];
  }

  /** @throws UnknownFunction, naming the functions there are */
  get(name: string): LocalFunction {
    const fn = this.find(name);
    if (fn) return fn;
    const names = this.all().map(({ settings }) => shortName(settings.name));
    throw new UnknownFunction(`There is no function "${name}"; there are ${names.join(', ')}`);
  }
}

/** `reconcile` of `dropline-reconcile-function`. */
const shortName = (name: string): string =>
  (/^.*-([a-z]+)-function$/i.exec(name)?.[1] ?? name).toLowerCase();

export interface FunctionsOptions {
  /** Absolute path. */
  dataDir: string;
  resources: LocalResources;
  callers: Callers;
  endpoints: Endpoints;
  /** Replaces variables that the template sets. */
  environment: Record<string, string>;
  /** Maximum of concurrent invocations of one function. */
  maxConcurrency: number;
  /** PATH of the functions' processes. */
  path: string | undefined;
  onLog: (line: string) => void;
}

/** Starts the Runtime API and adds the stack's functions; their processes start when they are needed. */
export async function startFunctions(
  registry: FunctionRegistry,
  options: FunctionsOptions,
  closers: Closers,
): Promise<void> {
  const { dataDir, resources, endpoints, environment, maxConcurrency, path, onLog } = options;
  const api = new RuntimeApi();
  await api.start();
  closers.add(() => api.close());
  for (const resource of resources.functions) {
    const source = resources.eventSources.find(({ functionId }) => functionId === resource.id);
    const wanted = source?.maxConcurrency ?? maxConcurrency;
    const fn = new LocalFunction({
      settings: {
        ...resource,
        env: environmentOf(
          resource,
          endpoints,
          environment,
          path,
          options.callers.issue(resource.name),
        ),
      },
      api,
      concurrency: Math.max(1, Math.min(maxConcurrency, wanted)),
      logPath: join(dataDir, 'logs', `${resource.name}.log`),
      tmpDir: join(dataDir, 'tmp', resource.name),
      onFailure: (name, { error }, logPath) =>
        onLog(`${name}: ${error.errorType}: ${error.errorMessage} (${logPath})`),
    });
    registry.add(resource.id, fn);
  }
  closers.add(async () => {
    await Promise.all(registry.all().map((fn) => fn.stop()));
  });
}
