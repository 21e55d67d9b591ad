import { z } from 'zod';
import { Limit, pageOf, PipelineName, Timestamp } from './common.js';
import { Since } from './metrics.js';

export const AuditEntry = z
  .object({
    id: z.int(),
    at: Timestamp,
    actor: z.string(),
    action: z.string(),
    pipeline: PipelineName.exactOptional(),
    reason: z.string(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
    requestId: z.string().exactOptional(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;
export const AuditPage = pageOf(AuditEntry).meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof AuditPage>;

/** `action`: one, such as `stable.set`, or what they begin with, such as `token`. `since`: a span back from now, or a time. */
export const AuditQuery = z.strictObject({
  pipeline: PipelineName.exactOptional(),
  action: z.string().min(1).max(100).exactOptional(),
  actor: z.string().min(1).max(100).exactOptional(),
  since: Since.exactOptional(),
  limit: Limit,
  cursor: z
    .string()
    .regex(/^[0-9]{1,18}$/, 'a cursor is the `next` of a page')
    .exactOptional(),
});
