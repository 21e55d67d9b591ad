/** Tokens and the audit. */
import type { Change } from './audit.js';
import type { Actor } from './definitions.model.js';

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly pipeline?: string;
  readonly reason: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly requestId?: string;
}
export interface AccessStore {
  /** Stores only a SHA-256; the plain token is answered once. */
  createToken(name: string, role: 'viewer' | 'operator' | 'admin', token?: string, by?: Actor): Promise<string>;
  findToken(token: string): Promise<{ name: string; role: 'viewer' | 'operator' | 'admin' } | undefined>;
  /** For what has no transaction of its own in the store, such as a look at what is sensitive: before it is done. */
  note(change: Change, by: Actor): Promise<void>;
  /** Newest first. `action` is one, such as `stable.set`, or what they begin with, such as `token`. */
  audit(filter: { pipeline?: string; action?: string; actor?: string; since?: Date; limit: number; before?: number }): Promise<AuditRow[]>;
}
