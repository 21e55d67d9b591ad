/** A release, a batch store and instances for tests of one process, without Temporal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fields, PipelineSpec, RecordState } from '@autoflow/pipeline';
import { openBatchStore, type BatchStore } from '@autoflow/store/batches';
import type { BatchRef, StageInvocation } from '@autoflow/topology';
import { createEnforcer } from '../enforcement/detect.js';
import type { Enforcer } from '../enforcement/enforcer.js';
import { declaredSecrets } from '../installed-releases.js';
import { InstanceProcess, type InstanceOptions } from '../process/instance-process.js';
import { programFile } from '../programs.js';
import { buildRelease, type Release } from '../release/build-release.js';
import { fixture } from './neighbours.js';

export interface StageBench {
  readonly folder: string;
  readonly release: Release;
  readonly batches: BatchStore;
  instance(
    options?: {
      pipeline?: string;
      nodes?: readonly string[];
      memoryMb?: number;
      secrets?: { [name: string]: string };
      enforcer?: Enforcer;
    } & Partial<InstanceOptions>,
  ): Promise<InstanceProcess>;
  batch(records: readonly Fields[]): Promise<BatchRef>;
  invocation(input: BatchRef, change?: Partial<StageInvocation>): StageInvocation;
  close(): Promise<void>;
}

export async function createStageBench(module: 'trouble' | 'echo'): Promise<StageBench> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-stage-'));
  const releases = join(folder, 'releases');
  const release = await buildRelease(fixture(module), releases);
  const program = await programFile('instance/main', releases);
  const batchStore = { driver: 'file', folder: join(folder, 'batches') } as const;
  const batches = openBatchStore(batchStore);
  const started = new Set<InstanceProcess>();
  const enforcer = createEnforcer('detect');
  return {
    folder,
    release,
    batches,
    async instance({ pipeline = module, nodes = [], memoryMb = 256, secrets = {}, ...options } = {}) {
      const spec = release.specs.find(({ name }) => name === pipeline) as PipelineSpec;
      const instance = new InstanceProcess({
        program,
        settings: {
          pipeline,
          bundle: join(release.folder, 'index.mjs'),
          batchStore,
          secrets: declaredSecrets(spec, nodes, (name) => secrets[name]),
        },
        memoryMb,
        enforcer,
        environment: {},
        startWithinMs: 20_000,
        graceMs: 500,
        log: () => {},
        ...options,
      });
      started.add(instance);
      const ended = await instance.start();
      if (ended !== undefined) throw new Error(`${ended.why}: ${ended.message}`);
      return instance;
    },
    batch: (records) => batches.write({ pipeline: module, batchId: 'batch', label: 'input' }, records.map(stateOf)),
    invocation: (input, change = {}) => ({
      pipeline: module,
      version: 'v1',
      release: release.hash,
      scope: 'live',
      batchId: 'batch',
      stage: 'stage',
      nodes: [],
      inputs: [input],
      dispatch: 0,
      final: false,
      ...change,
    }),
    async close() {
      for (const instance of started) if (instance.alive) instance.kill('the test is over');
      await Promise.all([...started].map((instance) => instance.ended));
      enforcer.close();
      await rm(folder, { recursive: true });
    },
  };
}

const stateOf = (fields: Fields, index: number): RecordState => ({
  index,
  key: String(fields['id']),
  arrivedAt: '2026-01-01T00:00:00.000Z',
  fields,
});
