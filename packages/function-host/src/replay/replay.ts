import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PipelineSpec, RecordState } from '@autoflow/pipeline';
import { mergeStates, outcomeOf, takeRecord } from '@autoflow/pipeline/runtime';
import type { RecordedCall } from '@autoflow/store';
import { openBatchStore, type BatchStore } from '@autoflow/store/batches';
import type { BatchRef, Stage, Topology } from '@autoflow/topology';
import { createEnforcer } from '../enforcement/detect.js';
import type { Enforcer } from '../enforcement/enforcer.js';
import { InstalledReleases } from '../installed-releases.js';
import type { InstanceSettings, NodeRecording } from '../instance/protocol.js';
import { InstanceProcess } from '../process/instance-process.js';
import { programFile } from '../programs.js';
import type { Replay, Replayed, ReplayedInvocation, ReplayOptions, ReplayRecord, ReplayRequest } from './contract.js';
import { StageReplay } from './stage-replay.js';

const LOAD_WITHIN_MS = 30_000;
const GRACE_MS = 2_000;

export function createReplay(options: ReplayOptions): Replay {
  const enforcer = createEnforcer(options.enforcement, options.log);
  const releases = new InstalledReleases(resolve(options.releases), options.releaseSource);
  return {
    enforcement: enforcer.kind,
    release: (hash, pipeline) => releases.find(hash, pipeline),
    run: async (request) => {
      const { bundle, spec } = await releases.find(request.release, request.pipeline);
      const folder = await mkdtemp(join(tmpdir(), 'autoflow-replay-'));
      try {
        return await replayIn(folder, bundle, spec, request, { ...options, enforcer });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    close: () => enforcer.close(),
  };
}

/** Stage by stage, each over all batches: one instance lives at a time. */
async function replayIn(
  folder: string,
  bundle: string,
  spec: PipelineSpec,
  request: ReplayRequest,
  options: ReplayOptions & { readonly enforcer: Enforcer },
): Promise<Replayed> {
  const { pipeline, topology, records, batchSizes = [topology.batch.records] } = request;
  const batchStore = { driver: 'file', folder: join(folder, 'batches') } as const;
  const answers = join(folder, 'answers.json');
  await writeFile(answers, JSON.stringify(request.answers));
  const settings: InstanceSettings = { pipeline, bundle, batchStore, secrets: {}, recorder: { share: 1 }, answers };
  const calls = new CallBook();
  const start = await starter(settings, options, (found) => calls.add(found));
  const store = openBatchStore(batchStore);
  try {
    const inputs = await writeInputs(store, pipeline, states(records, spec), batchSizes);
    const outputs = new Map<string, readonly (readonly BatchRef[])[]>();
    const invocations: ReplayedInvocation[] = [];
    for (const stage of inOrder(topology)) {
      const run = new StageReplay(stage, request, start, (invocation) => invocations.push(invocation));
      try {
        const before = inputs.map((input, batch) =>
          stage.after.length === 0 ? [input] : stage.after.flatMap((name) => outputs.get(name)![batch]!),
        );
        const out: (readonly BatchRef[])[] = [];
        for (const [batch, refs] of before.entries()) out.push(await run.batch(`batch-${batch}`, refs, inputs[batch]!.counts.records));
        outputs.set(stage.name, out);
      } finally {
        await run.close();
      }
    }
    const last = topology.stages.filter(({ name }) => !topology.stages.some(({ after }) => after.includes(name)));
    const ends = last.flatMap(({ name }) => outputs.get(name)!.flat());
    const merged = mergeStates(await Promise.all(ends.map((ref) => store.read(ref))), spec);
    return { records: merged.map((state) => ({ outcome: outcomeOf(spec, state), calls: calls.of(state.key) })), invocations };
  } finally {
    await store.close();
  }
}

async function starter(
  settings: InstanceSettings,
  { releases, enforcer, instanceEnvironment = {}, loadWithinMs = LOAD_WITHIN_MS, log }: ReplayOptions & { readonly enforcer: Enforcer },
  recorded: (recordings: readonly NodeRecording[]) => void,
): Promise<(memoryMb: number) => InstanceProcess> {
  const program = await programFile('instance/main', resolve(releases));
  return (memoryMb) =>
    new InstanceProcess({
      ...{ program, settings, memoryMb, enforcer, environment: instanceEnvironment, startWithinMs: loadWithinMs, graceMs: GRACE_MS },
      recorded,
      // What handlers say about records that were run long ago is for nobody, and may quote them.
      log: (level, message, details) =>
        level !== 'debug' && level !== 'info' && log(level, message, { replay: settings.pipeline, ...details }),
    });
}

/** What the release does not take is dead, as it is when it comes in. Indexes run through all batches. */
function states(records: readonly ReplayRecord[], spec: PipelineSpec): RecordState[] {
  return records.map(({ id, arrivedAt, record }, index) => {
    const taken = takeRecord(spec, record);
    const state = { index, key: id, arrivedAt: arrivedAt.toISOString() };
    if (!('problem' in taken)) return { ...state, fields: taken.fields };
    return { ...state, fields: {}, death: { in: 'input', code: 'INVALID_RECORD', message: taken.problem } };
  });
}

async function writeInputs(
  store: BatchStore,
  pipeline: string,
  all: readonly RecordState[],
  sizes: readonly number[],
): Promise<BatchRef[]> {
  const refs: BatchRef[] = [];
  for (let from = 0; from < all.length;) {
    const size = Math.max(1, sizes[refs.length % sizes.length]!);
    refs.push(await store.write({ pipeline, batchId: `batch-${refs.length}`, label: 'input' }, all.slice(from, from + size)));
    from += size;
  }
  return refs;
}

/** Each after those that it waits for. Takes a legal topology. */
function inOrder({ stages }: Topology): Stage[] {
  const done = new Map<string, Stage>();
  while (done.size < stages.length) {
    const next = stages.find(({ name, after }) => !done.has(name) && after.every((before) => done.has(before)));
    if (next === undefined) throw new Error('the topology has a cycle; validate it first');
    done.set(next.name, next);
  }
  return [...done.values()];
}

/** By record and node, the latest: an instance that died had told nothing yet. */
class CallBook {
  readonly #calls = new Map<string, { [node: string]: readonly RecordedCall[] }>();

  add(recordings: readonly NodeRecording[]): void {
    for (const { node, key, calls } of recordings) {
      const own = this.#calls.get(key) ?? {};
      own[node] = JSON.parse(calls) as RecordedCall[];
      this.#calls.set(key, own);
    }
  }

  of(key: string): { readonly [node: string]: readonly RecordedCall[] } {
    return this.#calls.get(key) ?? {};
  }
}
