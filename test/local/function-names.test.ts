import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalFunction } from '../../infra/local/lambda/local-function.ts';
import { FunctionRegistry, UnknownFunction } from '../../infra/local/stack/functions.ts';

let functions: FunctionRegistry;
beforeEach(() => {
  functions = new FunctionRegistry();
  for (const step of ['normalize', 'render', 'reconcile']) {
    const settings = { name: `my-stack-${step}-function` };
    functions.add(`Dropline${step}Function1A2B`, { settings } as unknown as LocalFunction);
  }
});

const found = (name: string) => functions.get(name).settings.name;

describe('a function of the stack', () => {
  test.each([
    ['its name', 'my-stack-reconcile-function'],
    ['its logical id', 'DroplinereconcileFunction1A2B'],
    ['its step', 'reconcile'],
    ['its step in other case', 'Reconcile'],
  ])('is found by %s', (_, name) => {
    expect(found(name)).toBe('my-stack-reconcile-function');
  });

  test.each(['reconcil', 're', 'e', 'function', 'my-stack', ''])(
    'is not found by a part of that, "%s", which would run one that nobody named',
    (name) => {
      expect(() => found(name)).toThrow(UnknownFunction);
      expect(() => found(name)).toThrow('there are normalize, render, reconcile');
    },
  );
});
