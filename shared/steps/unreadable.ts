import type { ObjectUnreadable } from '../aws/objects.ts';
import { RejectDocument } from '../journey/errors.ts';

/** An object that S3 holds but does not hand out ends its document; `retry` with the code brings it back. */
export function rejectUnreadable(
  step: 'normalize' | 'upload',
  { reason, message, cause }: ObjectUnreadable,
): RejectDocument {
  return new RejectDocument({ code: `${step}.${reason}`, message, cause });
}
