import { ApiError } from './errors.ts';

/**
 * The models the emulator knows. Context and output limits of the 5.5 models and of haiku-4-5 are from
 * the official documentation; those of opus-4-6 and 4-7 are unverified.
 */

export interface Model {
  id: string;
  displayName: string;
  line: 'haiku' | 'sonnet' | 'opus';
  maxInputTokens: number;
  maxTokens: number;
  /** The id in the answer, when the requested name is an alias. */
  aliasOf?: string;
}

const large = { maxInputTokens: 1_000_000, maxTokens: 128_000 };
const small = { maxInputTokens: 200_000, maxTokens: 64_000 };

/** Most recent first, as the API lists them. */
export const models: readonly Model[] = [
  { id: 'claude-haiku-5-5', displayName: 'Claude Haiku 5.5', line: 'haiku', ...large },
  { id: 'claude-sonnet-5-5', displayName: 'Claude Sonnet 5.5', line: 'sonnet', ...large },
  { id: 'claude-opus-5-5', displayName: 'Claude Opus 5.5', line: 'opus', ...large },
  { id: 'claude-opus-4-7', displayName: 'Claude Opus 4.7', line: 'opus', ...large },
  { id: 'claude-opus-4-6', displayName: 'Claude Opus 4.6', line: 'opus', ...large },
  { id: 'claude-haiku-4-5-20251001', displayName: 'Claude Haiku 4.5', line: 'haiku', ...small },
];

const aliases: Record<string, string> = { 'claude-haiku-4-5': 'claude-haiku-4-5-20251001' };

/** The model of this id or alias. Throws 404 for an unknown one, as the API does. */
export function modelOf(id: string): Model {
  const model = models.find((known) => known.id === (aliases[id] ?? id));
  if (!model) throw new ApiError(404, `model: ${id}`);
  return model;
}
