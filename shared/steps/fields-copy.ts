import { grounded, type SentText } from '../fields/ground.ts';
import { readFields } from '../fields/reply.ts';
import type { Profile } from '../journey/profiles.ts';
import type { DocumentRecord, Evidence } from '../journey/record.ts';
import { type KeptReply, replyKeyOf } from './answer-store.ts';
import { type Answered, textOf, withSchema } from './questions.ts';
import type { AnswerTools } from './tools.ts';

type Fields = NonNullable<DocumentRecord['fields']>;

/** Bytes of fields that a record holds, and of their data alone; DynamoDB charges for each kilobyte at every write. */
const maxFieldsBytes = 20_000;
const maxDataBytes = 12_000;

/**
 * The fields of a record: the data, and where in the text that went to Claude each quote stands. That is looked up when
 * the answer is copied, so the answer holds nothing but what Claude said.
 * @param sent without it, nothing can be looked up
 */
export async function fieldsOf(
  answered: Answered,
  reply: KeptReply,
  profile: Profile,
  sent: SentText | undefined,
  tools: Pick<AnswerTools, 'objects' | 'resultsBucket'>,
): Promise<Fields> {
  const read = readFields(textOf(reply.content), withSchema(profile).schema);
  if ('invalid' in read) throw new Error(`the kept fields are invalid: ${read.invalid}`);
  const evidence = grounded(read, sent);
  const count = (wanted: Evidence['grounded']): number =>
    evidence.filter((one) => one.grounded === wanted).length;
  const { model, at } = answered.answer.billed;
  const whole: Fields = {
    data: read.data,
    evidence,
    ungrounded: count(false),
    unchecked: count(null),
    model,
    at,
  };
  if (bytesOf(whole) <= maxFieldsBytes) return whole;
  const key = replyKeyOf(answered.ref, answered.answer).replace(/\.json$/, '-fields.json');
  const text = JSON.stringify({ data: read.data, evidence });
  await tools.objects.putText({ bucket: tools.resultsBucket, key }, text, 'application/json');
  return { ...shortened(whole), location: `s3://${tools.resultsBucket}/${key}` };
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

/** As much as fits: data as a whole or not at all, since a part of it is not valid; of the evidence, what is missing first. */
function shortened({ data, ...fields }: Fields): Fields {
  const keeps = bytesOf(data) <= maxDataBytes;
  const byNeed = fields.evidence.toSorted((a, b) => Number(a.grounded) - Number(b.grounded));
  const evidence: Evidence[] = [];
  let left = maxFieldsBytes - (keeps ? bytesOf(data) : 0) - 1_000;
  for (const one of byNeed) {
    left -= bytesOf(one) + 1;
    if (left < 0) break;
    evidence.push(one);
  }
  return { ...(keeps ? { data } : {}), ...fields, evidence };
}
