import { type AnyPipeline, type ChildState, type Fields, type RecordState, specOf } from '@autoflow/pipeline';
import { admitRecord, Memo, runNodes } from '@autoflow/pipeline/runtime';
import { checkReduce, type Fake, type ReduceReport } from '@autoflow/pipeline/testing';

export type NamedReport = { readonly node: string } & ReduceReport;

/**
 * Tries the laws of every reduce on the children that the samples expand into. A reduce that the samples have no children for is left
 * out, and so is all when a function behind which a reduce lies has no fake.
 */
export async function reduceReports(
  pipeline: AnyPipeline,
  samples: readonly Fields[],
  fakes: readonly Fake[] | (() => readonly Fake[]) = [],
): Promise<NamedReport[]> {
  const spec = specOf(pipeline);
  const reduces = spec.nodes.filter(({ kind }) => kind === 'reduce');
  if (reduces.length === 0 || samples.length === 0) return [];
  const ended = await runSamples(pipeline, samples, typeof fakes === 'function' ? fakes() : fakes);
  return reduces.flatMap(({ id, scope, reads }): NamedReport[] => {
    const children = ended
      .flatMap((state) => childrenAt(state, scope))
      .map(({ fields }) => Object.fromEntries(reads.map((field) => [field, fields[field]])));
    const definition = pipeline.functions.get(id);
    if (children.length === 0 || definition === undefined) return [];
    return [{ node: id, ...checkReduce({ definition } as unknown as Parameters<typeof checkReduce<Fields>>[0], children) }];
  });
}

function childrenAt({ children = {} }: RecordState | ChildState, [expand, ...deeper]: readonly string[]): readonly ChildState[] {
  const here = expand === undefined ? [] : (children[expand] ?? []);
  return deeper.length === 0 ? here : here.flatMap((child) => childrenAt(child, deeper));
}

async function runSamples(pipeline: AnyPipeline, samples: readonly Fields[], fakes: readonly Fake[]): Promise<readonly RecordState[]> {
  const values = new Map(fakes.map(({ resource, value }) => [resource.name, value]));
  const records = samples.flatMap((sample, index): RecordState[] => {
    const admission = admitRecord(pipeline, sample);
    return admission.ok ? [{ index, key: admission.key, arrivedAt: new Date(0).toISOString(), fields: admission.fields }] : [];
  });
  const nodes = pipeline.wiring.nodes.map(({ id }) => id);
  const { done } = await runNodes(pipeline, nodes, records, {
    resource: (name) => Promise.resolve(values.get(name)),
    idempotencyScope: `${pipeline.name}/check`,
    final: true,
    strict: false,
    signal: new AbortController().signal,
    log: () => undefined,
    progress: () => undefined,
    memo: new Memo(),
    clock: { now: () => performance.now(), cpu: () => performance.now() },
  });
  return done;
}
