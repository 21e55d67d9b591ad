import { z } from 'zod';

/** Workflow types and keys of objects are made of these. */
export const PipelineName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'a name is small letters, digits and hyphens, and begins with a letter')
  .max(100);
export const VersionName = z.string().regex(/^v[1-9][0-9]{0,8}$/, 'a version is v1, v2, …');
export const ReleaseHash = z.string().regex(/^[0-9a-f]{64}$/, 'a release is the SHA-256 of its code, in 64 hexadecimal digits');
export const ScopeName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a scope is letters, digits, dots, hyphens and underscores')
  .max(100);
/** Kept in the audit log. */
export const Reason = z.string().trim().min(1).max(1000);
/** ISO 8601, UTC. */
export const Timestamp = z.iso.datetime();

export const OutcomeCounts = z
  .object({ completed: z.int(), filtered: z.int(), dead: z.int(), cancelled: z.int() })
  .meta({ id: 'OutcomeCounts' });

export const RecordStateName = z.enum(['running', 'completed', 'filtered', 'dead', 'cancelled']);

/** `true`: with the values of sensitive fields, which takes an admin and is in the audit log. */
export const Reveal = z
  .enum(['true', 'false'])
  .default('false')
  .transform((reveal) => reveal === 'true');

/** Numbers of a query string. */
export const Limit = z.coerce.number().int().min(1).max(1000).default(100);

/** `next`, where present, is the `cursor` of the following page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().exactOptional() });
}
