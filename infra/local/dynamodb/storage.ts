import { registerHooks } from 'node:module';

const storage = new URL('sqlite-level.ts', import.meta.url).href;

// dynalite asks for `leveldown` by name when it opens a store, and has no option for another.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'leveldown' ? { url: storage, shortCircuit: true } : next(specifier, context),
});
