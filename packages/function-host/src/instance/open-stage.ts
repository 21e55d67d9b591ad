import { pathToFileURL } from 'node:url';
import { pipelinesIn, specOf, type AnyPipeline } from '@autoflow/pipeline';
import { Memo, type StandIn } from '@autoflow/pipeline/runtime';
import { openBatchStore } from '@autoflow/store/batches';
import type { BatchStore } from '@autoflow/store';
import { Discretion } from './discretion.js';
import { networkGuard } from './network-guard.js';
import { redactor } from '../process/redact.js';
import type { InstanceSettings } from './protocol.js';
import { Recorder } from './recorder.js';
import { openResources, type OpenResources } from './resources.js';
import { readStandIn } from './stand-in.js';

/** What an instance keeps from one invocation to the next. */
export interface OpenStage {
  readonly pipeline: AnyPipeline;
  readonly batches: BatchStore;
  readonly resources: OpenResources;
  /** What `read` functions answered: as old as the instance at most. */
  readonly memo: Memo;
  readonly guard: <T>(node: string, call: () => T) => T;
  /** Blanks the instance's secrets, and what is sensitive of the records at hand, out of a text. */
  readonly redact: (text: string) => string;
  readonly discretion: Discretion;
  readonly recorder?: Recorder;
  /** Of a replay: for one invocation. */
  readonly standIn?: () => StandIn;
  close(): Promise<void>;
}

/** Loads the release's bundle. Resources are opened when a function first asks for one. */
export async function openStage(settings: InstanceSettings): Promise<OpenStage> {
  const { bundle, pipeline: name, batchStore, secrets, recorder, answers } = settings;
  const pipeline = pipelinesIn((await import(pathToFileURL(bundle).href)) as object).find((each) => each.name === name);
  if (pipeline === undefined) throw new Error(`the bundle does not export pipeline '${name}'`);
  const batches = openBatchStore(batchStore);
  const resources = openResources(pipeline, secrets);
  const discretion = new Discretion(specOf(pipeline).sensitive ?? []);
  for (const stream of [process.stdout, process.stderr]) discretion.watch(stream);
  discretion.watchUncaught();
  const withoutSecrets = redactor(Object.values(secrets));
  return {
    pipeline,
    batches,
    resources,
    memo: new Memo(),
    guard: networkGuard(pipeline),
    redact: (text) => withoutSecrets(discretion.blank(text)),
    discretion,
    ...(recorder !== undefined && { recorder: new Recorder(pipeline, recorder) }),
    ...(answers !== undefined && { standIn: await readStandIn(answers) }),
    async close() {
      await resources.close();
      await batches.close();
    },
  };
}
