import { z } from 'zod';
import { Limit, pageOf, Reason, Timestamp } from './common.js';

export const TokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'a name is letters, digits, dots, hyphens, underscores and @')
  .max(100);
export const RoleName = z.enum(['viewer', 'operator', 'admin']);

/** What a token is, is answered once, by the request that made it. `lastUsedAt` is exact to the minute. */
export const Token = z
  .object({
    name: z.string(),
    role: RoleName,
    createdAt: Timestamp,
    expiresAt: Timestamp.exactOptional(),
    rotatedAt: Timestamp.exactOptional(),
    lastUsedAt: Timestamp.exactOptional(),
    /** Until then the token before the last rotation is taken as well. */
    previousUntil: Timestamp.exactOptional(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof Token>;
export const TokenPage = pageOf(Token).meta({ id: 'TokenPage' });
export type TokenPage = z.infer<typeof TokenPage>;
export const TokensQuery = z.strictObject({ limit: Limit, cursor: TokenName.exactOptional() });

/** The only time that `token` is answered. */
export const IssuedToken = z.object({ ...Token.shape, token: z.string() }).meta({ id: 'IssuedToken' });
export type IssuedToken = z.infer<typeof IssuedToken>;

const Expiry = Timestamp.refine((time) => Date.parse(time) > Date.now(), 'lies in the past');

export const NewToken = z
  .strictObject({ name: TokenName, role: RoleName, expiresAt: Expiry.exactOptional(), reason: Reason })
  .meta({ id: 'NewToken' });
export type NewToken = z.input<typeof NewToken>;

/** The old token is taken for `graceSeconds` more (default: an hour); that of the last admin at least until the new one was used. */
export const RotateToken = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(3600),
    expiresAt: Expiry.exactOptional(),
    reason: Reason,
  })
  .meta({ id: 'RotateToken' });
export type RotateToken = z.input<typeof RotateToken>;

export const RevokeToken = z.strictObject({ reason: Reason }).meta({ id: 'RevokeToken' });
