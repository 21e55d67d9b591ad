/** Outcomes that once hung on the topology, each in the smallest pipeline that showed it. */
import {
  defineFilter,
  defineFunction,
  definePipeline,
  join,
  specOf,
  TerminalError,
  type AnyPipeline,
  type RecordState,
} from '@autoflow/pipeline';
import { Memo, outcomeOf, runNodes } from '@autoflow/pipeline/runtime';
import { testPipeline } from '@autoflow/pipeline/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { defaultAllocation } from '../allocation.js';
import { defaultEnvelope } from '../envelope.js';
import { validateTopology } from '../legality.js';
import { stageName } from '../stage-name.js';
import { stagePlans } from '../stage-plans.js';
import { DEFAULT_BATCH_BYTES, type Topology } from '../topology.js';

const key = z.object({ id: z.string() });

it('a record that is dying is filtered all the same when a function that the filter needs fails once and then heals', async () => {
  const outcomes = [];
  for (const order of [
    ['enrich', 'refuse', 'is-wanted'],
    ['refuse', 'enrich', 'is-wanted'],
  ])
    outcomes.push(await testPipeline(dyingPipeline(), [{ id: '1' }], { topology: inGroups([order]) }));
  expect(outcomes[0]).toMatchObject([{ state: 'filtered' }]);
  expect(outcomes[1]).toEqual(outcomes[0]);
});

function dyingPipeline(): AnyPipeline {
  let attempts = 0;
  const refuse = defineFunction('refuse', {
    effect: 'pure',
    reads: key,
    handle: () => {
      throw new TerminalError('REFUSED', 'never');
    },
  });
  const enrich = defineFunction('enrich', {
    effect: 'read',
    reads: key,
    writes: z.object({ wanted: z.boolean() }),
    handle: () => {
      if (attempts++ === 0) throw new Error('not now');
      return { wanted: false };
    },
  });
  const isWanted = defineFilter('is-wanted', { reads: z.object({ wanted: z.boolean() }), keep: ({ wanted }) => wanted || 'not wanted' });
  return definePipeline('dying', { input: key, key: 'id', output: key }, (record) => join(refuse(record), isWanted(enrich(record))));
}

it('a record whose functions each fail no more often than they may is completed, fused or not', async () => {
  const apart = await dispatched(stumblingPipeline(), inGroups([['a'], ['b']]));
  const together = await dispatched(stumblingPipeline(), inGroups([['a', 'b']]));
  expect([apart, together]).toEqual([['completed'], ['completed']]);
});

/** Both may be tried twice, and fail once. */
function stumblingPipeline(): AnyPipeline {
  const stumbling = (name: string) => {
    let attempts = 0;
    const handle = (): undefined => {
      if (attempts++ === 0) throw new Error('not now');
    };
    return defineFunction(name, { effect: 'read', reads: key, retry: { maximumAttempts: 2 }, handle });
  };
  return definePipeline('stumbling', { input: key, key: 'id', output: key }, (record) => stumbling('b')(stumbling('a')(record)));
}

/** As the interpreter does: a stage is dispatched again until the attempts of its plan are used up, and is told which dispatch is the last. */
async function dispatched(pipeline: AnyPipeline, topology: Topology): Promise<string[]> {
  const spec = specOf(pipeline);
  const envelope = defaultEnvelope(spec, topology);
  const plans = stagePlans(spec, topology, envelope, defaultAllocation(spec, topology, envelope));
  let records: RecordState[] = [{ index: 0, key: '1', arrivedAt: '2026-01-01T00:00:00.000Z', fields: { id: '1' } }];
  for (const { name, nodes } of topology.stages) {
    const done: RecordState[] = [];
    for (let rounds = 0; records.length > 0; rounds++) {
      const final = rounds + 1 >= (plans[name]?.retry.maximumAttempts ?? 1);
      const result = await runNodes(pipeline, nodes, records, {
        resource: () => Promise.resolve({}),
        idempotencyScope: 'test',
        final,
        strict: true,
        signal: new AbortController().signal,
        log: () => {},
        progress: () => {},
        memo: new Memo(),
        clock: { now: () => 0, cpu: () => 0 },
      });
      done.push(...result.done);
      records = [...result.retry];
    }
    records = done;
  }
  return records.map((record) => outcomeOf(spec, record).state);
}

it('a legal topology writes no record that a function before the write, as written, refuses', async () => {
  const rows: string[] = [];
  const check = defineFunction('check', {
    effect: 'pure',
    reads: key,
    handle: ({ id }) => {
      throw new TerminalError('INVALID', id);
    },
  });
  const store = defineFunction('store', { effect: 'idempotent-write', reads: key, handle: ({ id }) => void rows.push(id) });
  const pipeline = definePipeline('checked', { input: key, key: 'id', output: key }, (record) => store(check(record)));
  const topology = inGroups([['store'], ['check']]);
  const problems = validateTopology(specOf(pipeline), topology);
  await testPipeline(pipeline, [{ id: '1' }], { topology });
  expect(problems.length > 0 || rows.length === 0).toBe(true);
});

function inGroups(groups: readonly (readonly string[])[]): Topology {
  const names = groups.map(stageName);
  const stages = groups.map((nodes, i) => ({ name: names[i] ?? '', nodes, after: names.slice(Math.max(0, i - 1), i), partitions: 1 }));
  return { stages, batch: { records: 1, bytes: DEFAULT_BATCH_BYTES }, lingerMs: 0 };
}
