import { registerHooks } from 'node:module';

const storage = new URL('sqlite-level.ts', import.meta.url).href;

// dynalite requires `leveldown` by name when it opens a store; there is no option for another storage.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'leveldown' ? { url: storage, shortCircuit: true } : next(specifier, context),
});
