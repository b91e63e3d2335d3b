import { serveConversions } from '../formats/sandbox/serve.ts';

/**
 * The child process of `ConversionSandbox`: converts one document at a time. It is bundled as an
 * entry point of its own beside a Lambda's `index.mjs`, and runs from source as well.
 */
serveConversions(async () => (await import('./convert.ts')).convert);
