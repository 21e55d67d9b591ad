import type { PipelineSpec } from '@autoflow/pipeline';
import type { AllocationRow, KnownMemory, KnownServices, Store, VersionRow } from '@autoflow/store';
import { clampedEnvelope, limitedResources, type Envelope, type Stage, type Topology } from '@autoflow/topology';
import type { OperationSettings } from '@autoflow/topology/autonomy';
import type { ControlledPipeline } from '@autoflow/twin';

/** What is controlled: the stable version with its allocation, and the bounds that it may move in. */
export interface Subject {
  readonly version: VersionRow;
  readonly spec: PipelineSpec;
  readonly allocation: AllocationRow;
  /** The envelope with the operator's clamps upon it. */
  readonly bounds: Envelope;
  readonly pipeline: ControlledPipeline;
  readonly services: readonly { readonly ms: number; readonly cv: number }[];
  /** By index as in `pipeline.stages`. */
  readonly stages: readonly Stage[];
  /** An invocation takes at most so long. */
  readonly longestMs: number;
}

/** Where nothing was measured yet. */
const UNKNOWN = { ms: 200, cv: 0.5 };
const UNKNOWN_COLD_START_MS = 250;
/** Where no service level is set: so many times what the slowest way through takes, and a little. */
const USUAL_SLO = { times: 2.5, plusMs: 3_000 };
const LONGEST_MS = 600_000;

/** Undefined when the pipeline is gone. */
export async function subjectOf(
  pipeline: string,
  settings: OperationSettings,
  intervalMs: number,
  { definitions, control }: Pick<Store, 'definitions' | 'control'>,
): Promise<Subject | undefined> {
  const row = await definitions.pipeline(pipeline);
  if (row === undefined) return undefined;
  const name = row.stable.version;
  const [version, release, allocation, known, memory] = await Promise.all([
    definitions.version(pipeline, name),
    definitions.release(pipeline, row.stable.release),
    definitions.allocation(pipeline, name),
    control.services(pipeline, name),
    control.memory(pipeline, name),
  ]);
  if (version === undefined || release === undefined || allocation === undefined) return undefined;
  const { spec } = release;
  const bounds = clampedEnvelope(version.envelope, allocation.clamps);
  const stages = inLevels(version.topology);
  const services = stages.map((stage) => known.stages[stage.name] ?? UNKNOWN);
  const longestMs = Math.min(LONGEST_MS, Math.max(...spec.nodes.map(({ timeoutMs }) => timeoutMs)));
  return { version, spec, allocation, bounds, stages, services, longestMs, pipeline: controlled() };

  function controlled(): ControlledPipeline {
    const at = new Map(stages.map((stage, s) => [stage.name, s]));
    const after = stages.map((stage) => stage.after.map((before) => at.get(before)!));
    return {
      stages: stages.map((stage, s) => ({
        name: stage.name,
        after: after[s]!,
        followers: after.flatMap((before, other) => (before.includes(s) ? [other] : [])),
        concurrency: roomOf(stage.name, bounds, spec, version!.topology),
        memoryMb: sizesOf(stage, bounds, spec, allocation!.stages[stage.name]!.memoryMb, memory),
      })),
      sloMs: settings.objective?.p99Ms ?? USUAL_SLO.times * wayThrough(services, after) + USUAL_SLO.plusMs,
      coldStartMs: (known satisfies KnownServices).coldStartMs ?? UNKNOWN_COLD_START_MS,
      intervalMs,
      cpuFollowsMemory: memory.cpuFollows,
      ...(settings.control?.instances !== undefined && { fleet: settings.control.instances }),
    };
  }
}

/** What a resource leaves when each of its other users has its least. */
function roomOf(stage: string, bounds: Envelope, spec: PipelineSpec, topology: Topology): { readonly min: number; readonly max: number } {
  const { min, max } = bounds[stage]!.concurrency;
  const rooms = limitedResources(spec, topology)
    .filter(({ users }) => users.includes(stage))
    .map(({ concurrency, users }) =>
      users.filter((user) => user !== stage).reduce((room, user) => room - bounds[user]!.concurrency.min, concurrency),
    );
  return { min, max: Math.max(min, Math.min(max, ...rooms)) };
}

/**
 * What may be chosen of the sizes within the bounds: no less than there is, but for one that was never too small as far as is remembered. Never less
 * for a plain write: it is not run again, so what dies for want of memory there is a batch of records. Where the bounds leave none, their largest.
 */
function sizesOf(
  { name, nodes }: Pick<Stage, 'name' | 'nodes'>,
  bounds: Envelope,
  spec: Pick<PipelineSpec, 'nodes'>,
  nowMb: number,
  { tooSmallMb }: KnownMemory,
): readonly number[] {
  const isRunOnce = spec.nodes.some(({ id, effect }) => effect === 'write' && nodes.includes(id));
  const sizes = bounds[name]!.memoryMb;
  const open = sizes.filter((size) => size >= nowMb || (!isRunOnce && size > (tooSmallMb[name] ?? 0)));
  return open.length > 0 ? open : sizes.slice(-1);
}

/** Those that wait for nobody first, then those that wait for these: the order in which the twin has them. */
function inLevels({ stages }: Topology): Stage[] {
  const sorted: Stage[] = [];
  const done = new Set<string>();
  while (sorted.length < stages.length) {
    const ready = stages.filter(({ name, after }) => !done.has(name) && after.every((before) => done.has(before)));
    if (ready.length === 0) throw new Error('the stages of the topology wait for each other; it cannot have been validated');
    sorted.push(...ready);
    for (const { name } of ready) done.add(name);
  }
  return sorted;
}

function wayThrough(services: Subject['services'], after: readonly (readonly number[])[]): number {
  const done: number[] = [];
  services.forEach(({ ms }, s) => (done[s] = ms + Math.max(0, ...after[s]!.map((before) => done[before]!))));
  return Math.max(...done);
}
