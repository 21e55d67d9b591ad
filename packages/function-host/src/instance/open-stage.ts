import { pathToFileURL } from 'node:url';
import { pipelinesIn, type AnyPipeline } from '@autoflow/pipeline';
import { Memo } from '@autoflow/pipeline/runtime';
import { openBatchStore } from '@autoflow/store/batches';
import type { BatchStore } from '@autoflow/store';
import { networkGuard } from './network-guard.js';
import { redactor } from '../process/redact.js';
import type { InstanceSettings } from './protocol.js';
import { openResources, type OpenResources } from './resources.js';

/** What an instance keeps from one invocation to the next. */
export interface OpenStage {
  readonly pipeline: AnyPipeline;
  readonly batches: BatchStore;
  readonly resources: OpenResources;
  /** What `read` functions answered: as old as the instance at most. */
  readonly memo: Memo;
  readonly guard: <T>(node: string, call: () => T) => T;
  /** Blanks the instance's secrets out of a text. */
  readonly redact: (text: string) => string;
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
    memo: new Memo(),
    guard: networkGuard(pipeline),
    redact: redactor(Object.values(secrets)),
    async close() {
      await resources.close();
      await batches.close();
    },
  };
}
