import type { Message } from './message.ts';

/** A message in the form of stream events. The message is complete; only its form is streamed. */

const pieceLength = 64;

export function eventsOf(message: Message): Buffer {
  const { usage } = message;
  const start = {
    ...message,
    content: [],
    stop_reason: null,
    stop_details: null,
    usage: { ...usage, output_tokens: 1 },
  };
  const events: { type: string; [key: string]: unknown }[] = [
    { type: 'message_start', message: start },
    { type: 'ping' },
  ];

  for (const [index, block] of message.content.entries()) {
    events.push(...blockEvents(block, index), { type: 'content_block_stop', index });
  }
  events.push({
    type: 'message_delta',
    delta: {
      stop_reason: message.stop_reason,
      stop_sequence: message.stop_sequence,
      stop_details: message.stop_details,
      container: message.container,
    },
    usage: {
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
      cache_creation_input_tokens: usage.cache_creation_input_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      output_tokens_details: usage.output_tokens_details,
      server_tool_use: null,
    },
  });
  events.push({ type: 'message_stop' });
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return Buffer.from(text.join(''));
}

function blockEvents(block: object, index: number): { type: string; [key: string]: unknown }[] {
  const start = (content_block: object) => ({ type: 'content_block_start', index, content_block });
  const delta = (given: object) => ({ type: 'content_block_delta', index, delta: given });

  if ('text' in block && typeof block.text === 'string') {
    const citations = 'citations' in block && Array.isArray(block.citations) ? block.citations : [];
    return [
      start({ ...block, text: '', citations: citations.length > 0 ? [] : null }),
      ...citations.map((citation: object) => delta({ type: 'citations_delta', citation })),
      ...piecesOf(block.text).map((text) => delta({ type: 'text_delta', text })),
    ];
  }
  if ('thinking' in block && 'signature' in block) {
    const { signature } = block;
    return [start({ ...block, signature: '' }), delta({ type: 'signature_delta', signature })];
  }
  if ('input' in block) {
    const json = JSON.stringify(block.input);
    return [
      start({ ...block, input: {} }),
      ...piecesOf(json).map((partial_json) => delta({ type: 'input_json_delta', partial_json })),
    ];
  }
  return [start(block)];
}

/** Splits by code points, so that no piece ends inside one. */
function piecesOf(text: string): string[] {
  const characters = [...text];
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += pieceLength) {
    pieces.push(characters.slice(at, at + pieceLength).join(''));
  }
  return pieces;
}
