import { RejectDocument } from '../journey/errors.ts';
import type { Profile, Profiled, ProfileFor } from '../journey/profiles.ts';

/**
 * The profile of a document.
 * @throws RejectDocument `profile.unknown` when the object asks for one that does not exist
 */
export function profileOf(document: Profiled, { profileFor }: { profileFor: ProfileFor }): Profile {
  const profile = profileFor(document);
  if (profile) return profile;
  throw new RejectDocument({
    code: 'profile.unknown',
    message: `The object asks for the profile "${document.profileAsked}", which does not exist.`,
  });
}
