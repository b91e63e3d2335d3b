import { isAbove } from '../../../shared/claude/models.ts';
import { invalid } from './errors.ts';
import { type CountRequest, type MessageRequest, sampling } from './message-schema.ts';
import type { Model } from './models.ts';

/**
 * What one model takes and another refuses, by the table of models. The wording about thinking is the API's
 * (https://platform.claude.com/docs/en/models/opus-5-5/migration-guide); the others follow its style.
 */
export function checkModelRules(request: CountRequest | MessageRequest, model: Model): void {
  checkThinking(request, model);
  const effort = request.output_config?.effort;
  if (effort && !model.efforts.includes(effort)) {
    const levels = model.efforts.map((level) => `"${level}"`).join(', ');
    throw invalid(
      levels === ''
        ? 'output_config.effort: This model does not support the effort parameter.'
        : `output_config.effort: Input should be ${levels}`,
    );
  }
  if (!model.sampling) {
    for (const name of Object.keys(sampling)) {
      if ((request as Record<string, unknown>)[name] !== undefined) {
        throw invalid(`${name}: is not supported for this model.`);
      }
    }
  }
  const choice = request.tool_choice?.type;
  if ((choice === 'any' || choice === 'tool') && !model.forcedTools) {
    throw invalid(
      `tool_choice: "${choice}" is not supported for this model. Use "auto" or "none".`,
    );
  }
}

function checkThinking(request: CountRequest | MessageRequest, model: Model): void {
  const { thinking, output_config: config } = request;
  if (!thinking) return;
  const { types, off, offUpTo } = model.thinking;
  if (!types.includes(thinking.type)) {
    const instead = types.includes('adaptive')
      ? ' Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
      : '';
    throw invalid(`"thinking.type.${thinking.type}" is not supported for this model.${instead}`);
  }
  const effort = config?.effort ?? model.defaultEffort;
  if (thinking.type === off && offUpTo && effort && isAbove(effort, offUpTo)) {
    throw invalid(
      `"thinking.type.${thinking.type}" is not supported with effort "${effort}" for this model.`,
    );
  }
  if (thinking.type === 'enabled' && 'max_tokens' in request) {
    if (request.max_tokens <= thinking.budget_tokens) {
      throw invalid('max_tokens: must be greater than thinking.budget_tokens');
    }
  }
}
