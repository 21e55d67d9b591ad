import { z } from 'zod';
import { Limit, pageOf, Reason, ReleaseHash, Reveal, ScopeName, Timestamp, VersionName } from './common.js';
import { Since } from './metrics.js';

/** `open`: nothing was done yet. `past`: the record was run again since, by whomever. */
export const LetterState = z.enum(['open', 'redriven', 'discarded', 'past']);

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
    state: LetterState,
    /** What was done with it. */
    fate: z.object({ at: Timestamp, actor: z.string(), reason: z.string() }).exactOptional(),
  })
  .meta({ id: 'DeadLetterSummary' });
export type DeadLetterSummary = z.infer<typeof DeadLetterSummary>;
export const DeadLetterPage = pageOf(DeadLetterSummary).meta({ id: 'DeadLetterPage' });
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

/** With the input record, and all letters of the same record, oldest first. */
export const DeadLetter = z
  .object({ ...DeadLetterSummary.shape, record: z.record(z.string(), z.unknown()), history: z.array(DeadLetterSummary) })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLetterQuery = z.strictObject({ reveal: Reveal });

const FILTER = {
  scope: ScopeName.exactOptional(),
  code: z.string().min(1).max(200).exactOptional(),
  /** The function or stage in which they died. */
  stage: z.string().min(1).max(200).exactOptional(),
  version: VersionName.exactOptional(),
  release: ReleaseHash.exactOptional(),
};
const Cursor = z
  .string()
  .regex(/^[0-9]{1,18}$/, 'a cursor is the `next` of a page')
  .exactOptional();

export const DeadLettersQuery = z.strictObject({
  ...FILTER,
  state: z.enum([...LetterState.options, 'any']).default('open'),
  since: Since.exactOptional(),
  limit: Limit,
  cursor: Cursor,
});
export const DeadLetterGroupsQuery = DeadLettersQuery.omit({ cursor: true });

export const DeadLetterGroups = z
  .object({
    items: z.array(
      z.object({ code: z.string(), in: z.string(), count: z.int(), firstAt: Timestamp, lastAt: Timestamp, message: z.string() }),
    ),
  })
  .meta({ id: 'DeadLetterGroups' });
export type DeadLetterGroups = z.infer<typeof DeadLetterGroups>;

/** `latest`: whatever the arms say when it is fed. `original`: a version of the release on which it died. */
const To = z.enum(['latest', 'original']).default('latest');

export const RedriveOne = z.strictObject({ to: To, reason: Reason }).meta({ id: 'RedriveOne' });
export const DiscardOne = z.strictObject({ reason: Reason }).meta({ id: 'DiscardOne' });

/** The newest ones that match, at most `limit` at a time: send it again while `remaining` is above zero. */
export const RedriveMany = z
  .strictObject({ ...FILTER, since: Since.exactOptional(), limit: z.int().min(1).max(1000).default(1000), to: To, reason: Reason })
  .meta({ id: 'RedriveMany' });
export type RedriveMany = z.input<typeof RedriveMany>;
export const DiscardMany = RedriveMany.omit({ to: true }).meta({ id: 'DiscardMany' });
export type DiscardMany = z.input<typeof DiscardMany>;

/**
 * `done`: redriven or discarded now. `skipped`: somebody else was faster, or the record is running again. `keyless`: not redriven, since they do
 * not go by the key of their record (see `DEAD_LETTER_KEYLESS`); in none of the other counts.
 */
export const LettersSettled = z
  .object({ matched: z.int(), done: z.int(), skipped: z.int(), remaining: z.int(), keyless: z.int().exactOptional() })
  .meta({ id: 'LettersSettled' });
export type LettersSettled = z.infer<typeof LettersSettled>;
