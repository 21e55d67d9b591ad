import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The cache folder of this user: `$XDG_CACHE_HOME/autoflow`, or `~/.cache/autoflow`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'autoflow');
}

/** The folder under which every stack of this checkout lives: two checkouts never share one. */
export function stacksFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'stacks', checkoutHash());
}

/** Where other users can reach a file: used when root hands Postgres to an unprivileged user. Survives a reboot where possible. */
export function sharedFolder(): string {
  return join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), `autoflow-${process.getuid?.()}`);
}

/** A short name for the checkout that this code runs from. */
export function checkoutHash(): string {
  const checkout = fileURLToPath(new URL('../../..', import.meta.url));
  return createHash('sha256').update(checkout).digest('hex').slice(0, 12);
}
