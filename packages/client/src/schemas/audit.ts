import { z } from 'zod';
import { Limit, pageOf, PipelineName, Timestamp } from './common.js';

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

export const AuditQuery = z.strictObject({
  pipeline: PipelineName.exactOptional(),
  limit: Limit,
  cursor: z
    .string()
    .regex(/^[0-9]{1,18}$/, 'a cursor is the `next` of a page')
    .exactOptional(),
});
