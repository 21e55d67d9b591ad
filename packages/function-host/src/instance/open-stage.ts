import { pathToFileURL } from 'node:url';
import { pipelinesIn, type AnyPipeline } from '@autoflow/pipeline';
import { openBatchStore } from '@autoflow/store/batches';
import type { BatchStore } from '@autoflow/store';
import { networkGuard } from './network-guard.js';
import type { InstanceSettings } from './protocol.js';
import { openResources, type OpenResources } from './resources.js';

/** What an instance keeps from one invocation to the next. */
export interface OpenStage {
  readonly pipeline: AnyPipeline;
  readonly batches: BatchStore;
  readonly resources: OpenResources;
  readonly guard: <T>(node: string, call: () => T) => T;
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

/** Loads the release's bundle. Resources are opened when a function first asks for one. */
export async function openStage({ bundle, pipeline: name, batchStore, secrets }: InstanceSettings): Promise<OpenStage> {
  const pipeline = pipelinesIn((await import(pathToFileURL(bundle).href)) as object).find((each) => each.name === name);
  if (pipeline === undefined) throw new Error(`the bundle does not export pipeline '${name}'`);
  const batches = openBatchStore(batchStore);
  const resources = openResources(pipeline, secrets);
  return {
    pipeline,
    batches,
    resources,
    guard: networkGuard(pipeline),
    secrets: Object.values(secrets),
    async close() {
      await resources.close();
      await batches.close();
    },
  };
}
