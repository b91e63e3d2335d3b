import type { ApiCall, Reply } from './call.ts';
import { checkBeta } from './headers.ts';
import { journalUsage, makeMessage } from './message.ts';
import { parseCount, parseMessage, refersToFiles } from './parse-message.ts';
import { checkMaxTokens, readPrompt } from './prompt.ts';
import { readJson } from './request-body.ts';
import { eventsOf } from './sse.ts';

/** `POST /v1/messages` and `POST /v1/messages/count_tokens`. */

export async function createMessage(call: ApiCall): Promise<Reply> {
  const { state, entry } = call;
  state.rates.message();
  Object.assign(call.headers, state.rates.messageHeaders());
  const request = parseMessage(await readJson(call, state.settings.maxBodyBytes), call.version);
  entry.model = request.model;
  if (refersToFiles(request)) checkBeta(call);

  const prompt = await readPrompt(call, request);
  entry.titles = prompt.subjects.flatMap(({ title }) => title ?? []);
  checkMaxTokens(request.max_tokens, prompt.model);
  state.rates.inputTokens(prompt.tokens);
  const message = await makeMessage(state, request, prompt, call.fault);
  state.rates.outputTokens(message.usage.output_tokens);
  Object.assign(call.headers, state.rates.messageHeaders());

  entry.usage = journalUsage(message);
  entry.stopReason = message.stop_reason;
  if (!request.stream) return { json: message };
  return { body: eventsOf(message), contentType: 'text/event-stream; charset=utf-8' };
}

export async function countTokens(call: ApiCall): Promise<Reply> {
  const { state, entry } = call;
  Object.assign(call.headers, state.rates.counts());
  const request = parseCount(await readJson(call, state.settings.maxBodyBytes));
  entry.model = request.model;
  if (refersToFiles(request)) checkBeta(call);
  const { tokens } = await readPrompt(call, request);
  return { json: { input_tokens: tokens } };
}
