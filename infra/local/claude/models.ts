import { factsOf, type ModelFacts, models as table } from '../../../shared/claude/models.ts';
import { ApiError } from './errors.ts';

/** The models the emulator knows, by the table that the pipeline builds its requests from. */
export interface Model extends ModelFacts {
  /** The id in replies. */
  fullId: string;
}

const asModel = (facts: ModelFacts): Model => ({ ...facts, fullId: facts.dated ?? facts.id });

/** Most recent first, as the API lists them. */
export const models: readonly Model[] = table.map(asModel);

/** The model of this id or alias. Throws 404 for an unknown one, as the API does. */
export function modelOf(id: string): Model {
  const facts = factsOf(id);
  const known = facts && (facts.id === id || facts.dated === id);
  if (!known) throw new ApiError(404, `model: ${id}`);
  return asModel(facts);
}
