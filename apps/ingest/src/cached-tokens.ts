import type { AccessStore } from '@autoflow/store';

/** A token that was taken away works no longer than this. */
const FRESH_MS = 2_000;
const MOST = 1_000;

/** Looks a token up once in two seconds, not once per request. Tokens that are not known are asked for each time. */
export function cachedTokens(access: Pick<AccessStore, 'findToken'>): Pick<AccessStore, 'findToken'> {
  const known = new Map<string, { readonly caller: Awaited<ReturnType<AccessStore['findToken']>>; readonly readAt: number }>();
  return {
    async findToken(token) {
      const found = known.get(token);
      if (found !== undefined && performance.now() - found.readAt < FRESH_MS) return found.caller;
      const readAt = performance.now();
      const caller = await access.findToken(token);
      if (known.size >= MOST) known.clear();
      if (caller === undefined) known.delete(token);
      else known.set(token, { caller, readAt });
      return caller;
    },
  };
}
