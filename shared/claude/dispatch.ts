import type { Dispatcher } from 'undici';

/** The dispatcher, calling `onStart` just before undici writes each request. */
export function onRequestStart(dispatcher: Dispatcher, onStart: () => void): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context) => {
      onStart();
      start?.(controller, context);
    };
    return dispatch(options, handler);
  });
}

/** The body of an error reply, or as much of it as arrived: the status alone already says a lot. */
export async function readAvailable(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch {
    // A cut body: what has arrived has to do.
  }
  return Buffer.concat(chunks).toString('utf8');
}
