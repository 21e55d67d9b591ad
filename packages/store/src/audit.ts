import type { Sql } from './database.js';
import { recordEvent } from './events.store.js';
import type { Actor } from './definitions.model.js';

export interface Change {
  readonly action: string;
  readonly pipeline?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Belongs into the transaction of the change itself: no change without its row and its event, neither of them without its change. */
export async function audit(sql: Sql, { actor, reason, requestId }: Actor, { action, pipeline, before, after }: Change): Promise<void> {
  await sql.query(
    'insert into autoflow.audit (actor, action, pipeline, reason, before, after, request_id) values ($1, $2, $3, $4, $5, $6, $7)',
    [actor, action, pipeline, reason, json(before), json(after), requestId],
  );
  await recordEvent(sql, { type: action, ...(pipeline !== undefined && { pipeline }), data: { actor, reason, before, after } });
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
