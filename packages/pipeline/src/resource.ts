import { checkName } from './names.js';
import { DefinitionError } from './definition-error.js';
import type { Maybe } from './schema.js';

/** Fleet-wide; bounds every allocation of a function that uses the resource. */
export interface ResourceLimit {
  readonly concurrency?: number;
  readonly perSecond?: number;
}

/** A thing outside (a pool, an HTTP client), opened once per instance process, closed with it, replaced by `fake` in tests. */
export interface Resource<R> {
  readonly kind: 'resource';
  readonly name: string;
  readonly secrets: readonly string[];
  readonly limit?: ResourceLimit;
  open(env: { secret(name: string): string; signal: AbortSignal }): Maybe<R>;
  close?(resource: R): Maybe<void>;
}

/**
 * Declares a resource; functions name it in `uses`. It is the only place that sees secrets, and only those that it declares: asking
 * for another does not compile, and throws where types are not checked.
 */
export function defineResource<R, const Secret extends string = never>(definition: {
  readonly name: string;
  readonly secrets?: readonly Secret[];
  readonly limit?: ResourceLimit;
  /** `signal` is aborted when the instance ends. */
  readonly open: (env: { readonly secret: (name: Secret) => string; readonly signal: AbortSignal }) => Maybe<R>;
  readonly close?: (resource: NoInfer<R>) => Maybe<void>;
}): Resource<R> {
  const { name, secrets = [], limit, open, close } = definition;
  checkName('a resource', name);
  if (typeof open !== 'function')
    throw new DefinitionError(
      'BAD_RESOURCE',
      `resource '${name}' has no open`,
      'give `open({ secret, signal })`, which answers the opened resource',
    );
  for (const [what, value] of Object.entries(limit ?? {}))
    if (!(Number.isFinite(value) && value > 0))
      throw new DefinitionError(
        'BAD_RESOURCE',
        `resource '${name}' has limit.${what} = ${String(value)}`,
        'use a number greater than zero, or leave it out',
      );
  const declared: ReadonlySet<string> = new Set(secrets);
  return {
    kind: 'resource',
    name,
    secrets: [...declared],
    ...(limit ? { limit } : {}),
    open: ({ secret, signal }) =>
      open({
        signal,
        secret: (asked) => {
          if (declared.has(asked)) return secret(asked);
          throw new DefinitionError(
            'SECRET_UNDECLARED',
            `resource '${name}' asked for the secret '${asked}', which it does not declare`,
            `add '${asked}' to its \`secrets\``,
          );
        },
      }),
    ...(close ? { close } : {}),
  };
}
