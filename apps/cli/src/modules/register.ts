import type { AutoFlowClient } from '@autoflow/client';
import { buildRelease } from '@autoflow/function-host';

export interface RegisteredPipeline {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly created: boolean;
}

/** Bundles a module into the folder of releases, and registers every pipeline that it exports. The same code again changes nothing. */
export async function registerModule(
  client: AutoFlowClient,
  module: string,
  releases: string,
  reason: string,
): Promise<RegisteredPipeline[]> {
  const { hash, specs } = await buildRelease(module, releases);
  const registered: RegisteredPipeline[] = [];
  for (const spec of specs) {
    const { version, created } = await client.pipelines.register({ spec, release: hash, reason });
    registered.push({ name: spec.name, version: version.name, release: hash, created });
  }
  return registered;
}
