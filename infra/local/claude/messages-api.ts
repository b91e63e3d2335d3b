import { type Call, type Reply, readJson } from './call.ts';
import { checkBeta } from './headers.ts';
import { journalUsage, makeMessage } from './message.ts';
import { type CountRequest, parseCount, parseMessage } from './message-schema.ts';
import { checkMaxTokens, readPrompt } from './prompt.ts';
import { eventsOf } from './sse.ts';

/** `POST /v1/messages` and `POST /v1/messages/count_tokens`. */

export async function createMessage(call: Call): Promise<Reply> {
  const { world, entry } = call;
  world.rates.message();
  Object.assign(call.headers, world.rates.messageHeaders());
  const request = parseMessage(await readJson(call, world.settings.maxBodyBytes), call.version);
  entry.model = request.model;
  if (refersToFiles(request)) checkBeta(call);

  const prompt = await readPrompt(call, request);
  entry.titles = prompt.subjects.flatMap(({ title }) => title ?? []);
  checkMaxTokens(request.max_tokens, prompt.model);
  world.rates.inputTokens(prompt.tokens);
  const message = await makeMessage(world, request, prompt, call.fault);
  world.rates.outputTokens(message.usage.output_tokens);
  Object.assign(call.headers, world.rates.messageHeaders());

  entry.usage = journalUsage(message);
  entry.stopReason = message.stop_reason;
  if (!request.stream) return { json: message };
  return { body: eventsOf(message), contentType: 'text/event-stream; charset=utf-8' };
}

export async function countTokens(call: Call): Promise<Reply> {
  const { world, entry } = call;
  Object.assign(call.headers, world.rates.counts());
  const request = parseCount(await readJson(call, world.settings.maxBodyBytes));
  entry.model = request.model;
  if (refersToFiles(request)) checkBeta(call);
  const { tokens } = await readPrompt(call, request);
  return { json: { input_tokens: tokens } };
}

/** Whether a `file_id` is in any of the blocks. */
export function refersToFiles({ messages }: CountRequest): boolean {
  return messages.some(
    ({ content }) =>
      typeof content !== 'string' &&
      content.some((block) => {
        if (block.type === 'container_upload') return true;
        return (
          (block.type === 'document' || block.type === 'image') && block.source.type === 'file'
        );
      }),
  );
}
