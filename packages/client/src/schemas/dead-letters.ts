import { z } from 'zod';
import { Limit, pageOf, ReleaseHash, Reveal, ScopeName, Timestamp, VersionName } from './common.js';

export const DeadLetterSummary = z
  .object({
    id: z.string(),
    scope: ScopeName,
    key: z.string(),
    version: VersionName,
    release: ReleaseHash,
    in: z.string(),
    code: z.string(),
    message: z.string(),
    diedAt: Timestamp,
  })
  .meta({ id: 'DeadLetterSummary' });
export type DeadLetterSummary = z.infer<typeof DeadLetterSummary>;
export const DeadLetterPage = pageOf(DeadLetterSummary).meta({ id: 'DeadLetterPage' });
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

/** With the input record. */
export const DeadLetter = z.object({ ...DeadLetterSummary.shape, record: z.record(z.string(), z.unknown()) }).meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLetterQuery = z.strictObject({ reveal: Reveal });
export const DeadLettersQuery = z.strictObject({
  scope: ScopeName.exactOptional(),
  code: z.string().max(200).exactOptional(),
  limit: Limit,
  cursor: z
    .string()
    .regex(/^[0-9]{1,18}$/, 'a cursor is the `next` of a page')
    .exactOptional(),
});
