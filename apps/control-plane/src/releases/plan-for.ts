import type { PipelineSpec } from '@autoflow/pipeline';
import type { PipelineRow, Store } from '@autoflow/store';
import { canonicalJson, hashPipeline } from '@autoflow/topology';
import { findRelease, findVersion } from '../pipelines/lookup.js';
import { planOf, type Plan } from '../versions/plan.js';

export interface ReleasePlan extends Plan {
  readonly plan: 'kept' | 'as-written';
  readonly why: string;
}

/** Topology, envelope and allocation with which a release starts: those of the stable version if the wiring is the same, else as written. */
export async function planFor(
  store: Store,
  spec: PipelineSpec,
  before: PipelineRow | undefined,
  wanted: 'keep' | 'as-written',
): Promise<ReleasePlan> {
  const asWritten = (why: string): ReleasePlan => ({ plan: 'as-written', why, ...planOf(spec, {}) });
  if (before === undefined) return asWritten('the pipeline is new');
  if (wanted === 'as-written') return asWritten('that was asked for');
  const { version: name, release } = before.stable;
  const stable = await findRelease(store, spec.name, release);
  if (hashPipeline(stable.spec) !== hashPipeline(spec))
    return asWritten(`the wiring is another one than that of ${name}: ${whatDiffers(stable.spec, spec)}`);
  const { topology, envelope } = await findVersion(store, spec.name, name);
  const allocation = (await store.definitions.allocation(spec.name, name))!.stages;
  return { plan: 'kept', why: `the wiring is that of ${name}`, topology, envelope, allocation };
}

function whatDiffers(before: PipelineSpec, after: PipelineSpec): string {
  const ids = (spec: PipelineSpec) => spec.nodes.map(({ id }) => id);
  const added = ids(after).filter((id) => !ids(before).includes(id));
  const gone = ids(before).filter((id) => !ids(after).includes(id));
  const known = new Map(before.nodes.map((node) => [node.id, canonicalJson({ ...node })]));
  const other = after.nodes.flatMap((node) => (known.has(node.id) && known.get(node.id) !== canonicalJson({ ...node }) ? [node.id] : []));
  const parts = [
    ...(added.length > 0 ? [`with ${added.join(', ')}`] : []),
    ...(gone.length > 0 ? [`without ${gone.join(', ')}`] : []),
    ...(other.length > 0 ? [`${other.join(', ')} declared otherwise`] : []),
  ];
  return parts.length > 0 ? parts.join('; ') : 'its order, resources, input or output changed';
}
