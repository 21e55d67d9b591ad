import type { Fields } from '@autoflow/pipeline';
import { describe, expect, it } from 'vitest';
import { asWritten } from '../as-written.js';
import { hashPipeline, hashTopology } from '../hash.js';
import { validateTopology } from '../legality.js';
import { stageName } from '../stage-name.js';
import { calls, differences, runOutcomes, type Executable } from '../testing/index.js';
import { DEFAULT_BATCH_BYTES, type Topology } from '../topology.js';
import { applyStep, checkCertificate, conditionsOf, rewrites, type Limits, type Step } from './index.js';

/** One pipeline for every law, in which nothing else ties the last two calls together; the first call is there to be moved to. */
const laws: readonly { readonly removed: readonly string[]; readonly pipeline: Executable; readonly by?: readonly Step['rewrite'][] }[] = [
  { removed: ['fields-disjoint'], pipeline: calls({}, {}, { on: 2, reads: [4] }) },
  { removed: ['fields-disjoint'], pipeline: calls({}, {}, { kind: 'filter', on: 2, reads: [4], drops: 50 }), by: ['filter-earlier'] },
  { removed: ['scope-open'], pipeline: calls({}, { kind: 'expand' }, { kind: 'filter', on: 2, blind: true }) },
  {
    removed: ['children-visible'],
    pipeline: calls({}, { kind: 'expand' }, { kind: 'filter', on: 2, drops: 50 }, { kind: 'reduce', on: 3 }),
  },
  // Every write is written behind every filter of the record, so that both laws have to go.
  {
    removed: ['filter-before-write', 'write-behind'],
    pipeline: calls({}, { kind: 'filter', drops: 50 }, { effect: 'idempotent-write', on: 2 }),
  },
  { removed: ['filter-order'], pipeline: calls({}, { kind: 'filter', drops: 50 }, { kind: 'filter', drops: 50 }) },
  { removed: ['filter-order'], pipeline: calls({}, { kind: 'filter', drops: 50 }, { kind: 'filter', drops: 50 }), by: ['filter-earlier'] },
  { removed: ['write-order'], pipeline: calls({}, { effect: 'idempotent-write' }, { effect: 'idempotent-write' }) },
  { removed: ['resources-disjoint'], pipeline: calls({}, { effect: 'idempotent-write', uses: ['db'] }, { effect: 'read', uses: ['db'] }) },
  { removed: ['write-behind'], pipeline: calls({}, { fails: 40 }, { effect: 'idempotent-write', on: 2 }) },
];

/** Filters beside each other are both asked, and the merge takes the first as written: the law is stricter than outcomes need there. */
const noHarmInProcess = new Set(['parallelise filter-order']);
const ALL = ['reorder-nodes', 'reorder-stages', 'move', 'parallelise'] as const;
const mutants = laws.flatMap(({ removed, pipeline, by = ALL }) =>
  by.map((name) => {
    const without = removed.join(' and ');
    const harmful = !noHarmInProcess.has(`${name} ${without}`);
    const title = `'${name}' without '${without}' is caught by the checker${harmful ? ' and by execution' : ''}`;
    return [title, { name, removed, pipeline, harmful }] as const;
  }),
);

describe('a rewrite that ignores what ties two calls', () => {
  it.each(mutants)('%s', async (_title, { name, removed, pipeline, harmful }) => {
    const wrong = starts(pipeline).flatMap((topology) =>
      onlyLacking(removed, name, pipeline, topology).map((step) => ({ topology, step })),
    );
    expect(wrong).not.toEqual([]);
    for (const { topology, step } of wrong) expectRefused(pipeline, topology, step);
    let found = 0;
    for (const { topology, step } of wrong) found += (await harm(pipeline, applyStep(topology, step))).length;
    expect(found > 0).toBe(harmful);
  });
});

const chain = calls({}, {}, {});
const sink = calls({ stumbles: 1 }, { effect: 'write', on: 1 });
const shared = calls({ effect: 'read', uses: ['db'] }, {}, { effect: 'read', uses: ['db'] });
const [first, second, third] = chain.spec.nodes.map(({ id }) => id) as [string, string, string];
const [before, write] = sink.spec.nodes.map(({ id }) => id) as [string, string];
const large: Limits = { workingSets: { [first]: { fixedMb: 1_500, perRecordMb: 1 }, [second]: { fixedMb: 1_500, perRecordMb: 1 } } };
const limited: Executable = { ...shared, spec: { ...shared.spec, resources: [{ name: 'db', secrets: [], limit: { concurrency: 1 } }] } };

describe('a rewrite that ignores the shape of the graph', () => {
  const redundant = inGroups(chain, [[first], [second], [third]]);
  const short: Topology = {
    ...redundant,
    stages: redundant.stages.map((stage) => (stage.name === third ? { ...stage, after: [first, second] } : stage)),
  };
  it.each<[string, Step, Topology]>([
    ['no-detour', { rewrite: 'fuse', first, second: third }, redundant],
    ['no-detour', { rewrite: 'reorder-stages', first, second: third }, short],
    ['no-way-back', { rewrite: 'serialise', first: third, second: first }, redundant],
  ])('without %s: %j is caught by the checker and by execution', async (removed, step, topology) => {
    expect(lacking({ spec: chain.spec, topology, limits: {} }, step)).toContain(removed);
    expectRefused(chain, topology, step);
    expect(await harm(chain, applyStep(topology, step))).toEqual([expect.stringContaining('wait for each other')]);
  });
});

describe('a stage that drops what is needed', () => {
  const reader = calls({}, { promised: false }, { on: 2, reads: [4] });
  const family = calls({}, { kind: 'expand' }, { kind: 'reduce', on: 2 });
  const written = (pipeline: Executable, at: number) => pipeline.spec.nodes[at]?.id ?? '';
  it.each<[string, string, Executable, number, Omit<Step & { rewrite: 'drop-dead-fields' }, 'rewrite' | 'stage'>, Fields]>([
    [
      'dead-field',
      'a field that is read later',
      reader,
      1,
      { fields: reader.spec.nodes[1]?.writes ?? [], children: [] },
      { output: false, readers: ['function-2'] },
    ],
    [
      'dead-field',
      'a field of the output',
      reader,
      2,
      { fields: reader.spec.output.slice(-1), children: [] },
      { output: true, readers: [] },
    ],
    ['dead-children', 'children that a reduce needs', family, 1, { fields: [], children: [written(family, 1)] }, { inside: ['reduce-2'] }],
  ])('without %s (%s) is caught by the checker and by execution', async (removed, _what, pipeline, at, drops, because) => {
    const topology = asWritten(pipeline.spec);
    const step: Step = { rewrite: 'drop-dead-fields', stage: written(pipeline, at), ...drops };
    const broken = { condition: removed, holds: false, facts: { known: true, ...because } };
    expect(conditionsOf({ spec: pipeline.spec, topology, limits: {} }, step)).toMatchObject([broken]);
    expectRefused(pipeline, topology, step);
    expect(validateTopology(pipeline.spec, applyStep(topology, step)).map(({ code }) => code)).toEqual(['DROPPED_TOO_EARLY']);
    expect(await harm(pipeline, applyStep(topology, step))).not.toEqual([]);
  });

  it('forgets its drops when the order behind it may have changed', () => {
    const dropping = applyStep(asWritten(chain.spec), { rewrite: 'drop-dead-fields', stage: first, fields: ['a'], children: [] });
    expect(dropping.stages[0]?.drops).toEqual({ fields: ['a'], children: [] });
    expect(applyStep(dropping, { rewrite: 'linger', lingerMs: 5 }).stages[0]?.drops).toBeDefined();
    expect(applyStep(dropping, { rewrite: 'fuse', first: second, second: third }).stages[0]?.drops).toBeUndefined();
  });
});

/** What no run in one process can show is left to the checker; why is said of each. */
describe('a rewrite that ignores what only production shows', () => {
  const pair = inGroups(chain, [[first], [second, third]]);
  const parts = { ...pair, batch: { ...pair.batch, records: 8 }, stages: pair.stages.map((stage, i) => ({ ...stage, partitions: 1 + i })) };
  const sunk = inGroups(sink, [[before], [write]]);
  const three = inGroups(calls({}, {}, { effect: 'write' }), [['function-0', 'function-1'], ['function-2']]);
  const used = inGroups(limited, [limited.spec.nodes.map(({ id }) => id)]);
  const apart = inGroups(limited, [['function-0', 'function-2'], ['function-1']]);

  it.each<[string, string, Step, Executable, Topology, Limits]>([
    [
      'write-alone',
      'shows when a process dies: the whole stage is not run again',
      { rewrite: 'fuse', first: before, second: write },
      sink,
      sunk,
      {},
    ],
    [
      'write-alone',
      'shows when a process dies: the whole stage is not run again',
      { rewrite: 'move', node: 'function-1', to: 'function-2' },
      calls({}, {}, { effect: 'write' }),
      three,
      {},
    ],
    [
      'same-partitions',
      'no meaning comes from parts; the step must not choose',
      { rewrite: 'fuse', first, second: stageName([second, third]) },
      chain,
      parts,
      {},
    ],
    ['memory-fit', 'shows in an instance', { rewrite: 'fuse', first, second: stageName([second, third]) }, chain, pair, large],
    ['memory-fit', 'shows in an instance', { rewrite: 'move', node: second, to: first }, chain, pair, large],
    ['memory-fit', 'shows in an instance', { rewrite: 'batch-size', records: 5_000, bytes: DEFAULT_BATCH_BYTES }, chain, pair, large],
    [
      'memory-fit',
      'shows in an instance',
      { rewrite: 'partition', stage: first, partitions: 1 },
      chain,
      { ...parts, batch: { ...parts.batch, records: 2_000 }, stages: parts.stages.map((stage) => ({ ...stage, partitions: 2 })) },
      large,
    ],
    [
      'memory-fit',
      'shows in an instance: a part reads all of the batch',
      { rewrite: 'partition', stage: first, partitions: 4 },
      chain,
      { ...pair, batch: { ...pair.batch, records: 2_000 } },
      large,
    ],
    [
      'resource-room',
      'shows in an allocation: there is none',
      { rewrite: 'split', stage: used.stages[0]?.name ?? '', at: 1 },
      limited,
      used,
      {},
    ],
    [
      'resource-room',
      'shows in an allocation: there is none',
      { rewrite: 'move', node: 'function-2', to: 'function-1' },
      limited,
      apart,
      {},
    ],
    ['parts-filled', 'an empty part is but wasted', { rewrite: 'partition', stage: first, partitions: 64 }, chain, pair, {}],
    ['parts-filled', 'an empty part is but wasted', { rewrite: 'batch-size', records: 1, bytes: DEFAULT_BATCH_BYTES }, chain, parts, {}],
    [
      'within-bounds',
      'the store refuses it',
      { rewrite: 'partition', stage: first, partitions: 65 },
      chain,
      { ...pair, batch: { ...pair.batch, records: 100 } },
      {},
    ],
    ['within-bounds', 'the store refuses it', { rewrite: 'batch-size', records: 100_001, bytes: DEFAULT_BATCH_BYTES }, chain, pair, {}],
    ['within-bounds', 'the store refuses it', { rewrite: 'batch-size', records: 10, bytes: 5 }, chain, pair, {}],
    ['within-bounds', 'the store refuses it', { rewrite: 'linger', lingerMs: 600_001 }, chain, pair, {}],
  ])('without %s (%s): %j is caught by the checker', (removed, _why, step, pipeline, topology, limits) => {
    expect(new Set(lacking({ spec: pipeline.spec, topology, limits }, step))).toEqual(new Set([removed]));
    expectRefused(pipeline, topology, step, limits);
  });
});

/** Stages one behind the other. */
function inGroups({ spec }: Executable, groups: readonly (readonly string[])[]): Topology {
  const names = groups.map(stageName);
  const stages = groups.map((nodes, i) => ({ name: names[i] ?? '', nodes, after: names.slice(Math.max(0, i - 1), i), partitions: 1 }));
  expect(stages.flatMap(({ nodes }) => nodes).sort()).toEqual(spec.nodes.map(({ id }) => id).sort());
  return { stages, batch: { records: 10, bytes: DEFAULT_BATCH_BYTES }, lingerMs: 0 };
}

function starts(pipeline: Executable): Topology[] {
  const ids = pipeline.spec.nodes.map(({ id }) => id);
  const cuts = ids.map((_, at) => [ids.slice(0, at), ids.slice(at)].filter((nodes) => nodes.length > 0));
  return [
    asWritten(pipeline.spec),
    inGroups(
      pipeline,
      ids.map((id) => [id]),
    ),
    ...cuts.map((groups) => inGroups(pipeline, groups)),
  ];
}

/** Steps to which nothing but the removed conditions stands in the way. */
function onlyLacking(removed: readonly string[], name: string, { spec }: Executable, topology: Topology): Step[] {
  const rewrite = rewrites.find((one) => one.name === name);
  const context = { spec, topology, limits: {} };
  return (rewrite?.places(context) ?? []).filter((step) => {
    const missing = lacking(context, step);
    return missing.length > 0 && missing.every((condition) => removed.includes(condition));
  });
}

function lacking(context: Parameters<typeof conditionsOf>[0], step: Step): string[] {
  return conditionsOf(context, step).flatMap(({ condition, holds }) => (holds ? [] : [condition]));
}

/** The checker is given what a mutant would certify: the condition left out, and the condition said to hold. */
function expectRefused({ spec }: Executable, topology: Topology, step: Step, limits: Limits = {}): void {
  const to = applyStep(topology, step);
  const conditions = conditionsOf({ spec, topology, limits }, step);
  for (const claimed of [conditions.filter(({ holds }) => holds), conditions.map((condition) => ({ ...condition, holds: true }))]) {
    const [hash, end] = [hashTopology(topology), hashTopology(to)];
    const certificate = {
      $autoflow: 'certificate/1',
      pipeline: hashPipeline(spec),
      from: hash,
      to: end,
      steps: [{ step, from: hash, to: end, conditions: claimed }],
    };
    expect(checkCertificate(spec, topology, to, certificate, limits).map(({ code }) => code)).toContain('CONDITION_FAILS');
  }
}

/** What goes wrong for records; stages beside each other are run in both orders. */
async function harm(pipeline: Executable, topology: Topology): Promise<string[]> {
  const right = await runOutcomes(pipeline, asWritten(pipeline.spec), 10, 1);
  const found: string[] = [];
  for (const stages of [topology.stages, topology.stages.toReversed()]) {
    try {
      found.push(...differences(right, await runOutcomes(pipeline, { ...topology, stages }, 10, 'all')));
    } catch (error) {
      return [(error as Error).message];
    }
  }
  return found;
}
