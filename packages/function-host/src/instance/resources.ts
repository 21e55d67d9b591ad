import type { AnyPipeline, Resource } from '@autoflow/pipeline';

export interface OpenResources {
  /** The opened resource. Opened at the first call; after a failure, again at the next. */
  get(name: string): Promise<unknown>;
  /** Closes what was opened; one that fails to close does not keep the others open. */
  close(): Promise<void>;
}

/** Each resource is opened at most once in a process, and sees only the secrets that were handed to this instance. */
export function openResources(pipeline: AnyPipeline, secrets: { readonly [name: string]: string }): OpenResources {
  const definitions = new Map(
    [...pipeline.functions.values()].flatMap(({ uses = {} }) => Object.values(uses)).map((each) => [each.name, each]),
  );
  const opened = new Map<string, Promise<unknown>>();
  const ending = new AbortController();
  const open = async (resource: Resource<unknown>): Promise<unknown> =>
    resource.open({ secret: (name) => secretIn(secrets, name), signal: ending.signal });
  return {
    get(name) {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const opening = open(definitions.get(name)!);
      opened.set(name, opening);
      opening.catch(() => opened.delete(name));
      return opening;
    },
    async close() {
      ending.abort();
      await Promise.allSettled([...opened].map(async ([name, resource]) => definitions.get(name)!.close?.(await resource)));
    },
  };
}

function secretIn(secrets: { readonly [name: string]: string }, name: string): string {
  const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (value === undefined) throw new Error(`secret '${name}' has no value on this host: give it where the host takes its secrets from`);
  return value;
}
