import type { Actor } from './definitions.model.js';

export type TokenRole = 'viewer' | 'operator' | 'admin';

/** A token without what it is: that is answered once, when it is made, and kept nowhere. */
export interface TokenRow {
  readonly name: string;
  readonly role: TokenRole;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly rotatedAt?: Date;
  /** To the minute. */
  readonly lastUsedAt?: Date;
  /** The one before the last rotation is taken until then. */
  readonly previousUntil?: Date;
}
export interface TokenStore {
  /** Oldest name first; `after` is the last name seen. */
  list(page: { limit: number; after?: string }): Promise<TokenRow[]>;
  get(name: string): Promise<TokenRow | undefined>;
  /** Throws `AlreadyExistsError` for a name that is taken. */
  create(request: { name: string; role: TokenRole; expiresAt?: Date; by: Actor }): Promise<{ row: TokenRow; token: string }>;
  /**
   * A new token in the old one's place. The old one is taken for `graceSeconds` more; that of the last lasting admin at least until the new
   * one was used, so that an answer that is lost locks nobody out. Throws `LastAdminError` where no lasting admin would be left.
   */
  rotate(request: { name: string; graceSeconds: number; expiresAt?: Date; by: Actor }): Promise<{ row: TokenRow; token: string }>;
  /** Neither it nor the one before it is taken any more when this resolves. Throws `LastAdminError` for the last lasting admin's. */
  revoke(request: { name: string; by: Actor }): Promise<TokenRow>;
}
