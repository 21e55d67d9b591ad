/* eslint-disable @typescript-eslint/no-explicit-any -- what the compiler would refuse, or cannot know, is wired and run here */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineExpand,
  defineFilter,
  defineFunction,
  definePipeline,
  defineReduce,
  dependencies,
  join,
  specOf,
  TerminalError,
  type Json,
} from '../index.js';
import { testPipeline } from './index.js';
import type { TestTopology } from './run-topology.js';

/** A step of a random pipeline. `take` picks a field to read, `salt` makes its arithmetic its own. */
type Step =
  | {
      readonly kind: 'function';
      readonly take: number;
      readonly salt: number;
      readonly batched: boolean;
      readonly fails: 'never' | 'terminal' | 'always' | 'first';
    }
  | { readonly kind: 'filter'; readonly take: number; readonly salt: number; readonly broken: boolean }
  | { readonly kind: 'children'; readonly take: number; readonly salt: number; readonly steps: readonly Step[]; readonly grouped: boolean }
  | { readonly kind: 'branches'; readonly left: readonly Step[]; readonly right: readonly Step[] };

const at = { take: fc.nat(9), salt: fc.nat(97) };
const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 4 }),
  step: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('function' as const),
        ...at,
        batched: fc.boolean(),
        fails: fc.constantFrom('never' as const, 'terminal' as const, 'always' as const, 'first' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('filter' as const), ...at, broken: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('children' as const), ...at, steps: tie('steps'), grouped: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('branches' as const), left: tie('steps'), right: tie('steps') }) },
  ),
}));

/** A pipeline, defined anew for every run because 'first' remembers what it has failed for. `once`: nothing fails for a while only. */
function pipelineOf(all: readonly Step[], stored: Set<string>, once: boolean) {
  let names = 0;
  const name = (kind: string): string => `${kind}-${++names}`;
  const one = (...fields: string[]) => z.object(Object.fromEntries(fields.map((field) => [field, z.any()])));
  const pick = (fields: readonly string[], take: number): string => fields[take % fields.length] as string;

  function walk(record: any, fields: readonly string[], list: readonly Step[]): { record: any; fields: readonly string[] } {
    return list.reduce(({ record: r, fields: have }, step) => add(r, have, step), { record, fields });
  }
  /** Every identity has a field `id`, unique in the run, that all its functions read. */
  function add(record: any, fields: readonly string[], step: Step): { record: any; fields: readonly string[] } {
    switch (step.kind) {
      case 'function': {
        const [own, from] = [name('f'), pick(fields, step.take)];
        const failed = new Set<string>();
        const answer = (r: any) => {
          const value = (number(r[from]) * 31 + step.salt) % 1009;
          const fails = once && step.fails === 'first' ? 'never' : step.fails;
          if (fails === 'terminal' && value % 5 === 0) throw new TerminalError('FIVE', own);
          if (fails === 'always' && value % 7 === 0) throw new Error(own);
          if (fails === 'first' && value % 3 === 0 && !failed.has(r.id)) throw (failed.add(r.id), new Error(own));
          return { [own]: value };
        };
        const settled = (r: any) => {
          try {
            return answer(r);
          } catch (error) {
            return error;
          }
        };
        const handler = step.batched
          ? { handleBatch: async (rs: any[]) => rs.map(settled) }
          : { handle: step.salt % 2 ? answer : async (r: any) => answer(r) };
        const f = defineFunction(own, { effect: 'pure', reads: one('id', from), writes: one(own), ...handler } as never) as any;
        return { record: f(record), fields: [...fields, own] };
      }
      case 'filter': {
        const [own, from] = [name('keep'), pick(fields, step.take)];
        const keep = (r: any) => {
          const value = number(r[from]) + step.salt;
          if (step.broken && value % 11 === 0) throw new TerminalError('ELEVEN', own);
          return value % 4 !== 0 || `${own} does not want ${value % 8}`;
        };
        return { record: (defineFilter(own, { reads: one('id', from), keep } as never) as any)(record), fields };
      }
      case 'children': {
        const [expandName, into, from] = [name('expand'), name('sum'), pick(fields, step.take)];
        const expand = defineExpand(expandName, {
          reads: one('id', from),
          writes: one('id', 'n', 'g'),
          children: (r: any) =>
            Array.from({ length: (number(r[from]) + step.salt) % 4 }, (_, i) => ({ id: `${r.id}/${i}`, n: number(r[from]) + i, g: i % 2 })),
        } as never) as any;
        const children = expand(record);
        const inner = walk(children, ['n', 'g'], step.steps);
        const last = inner.fields.at(-1) as string;
        const plus = (a: any, b: any) => ({ sum: (a.sum + b.sum) % 100_003 });
        const reduce = defineReduce(into, {
          reads: one('g', last),
          ...(step.grouped ? { key: ['g'] } : {}),
          into,
          zero: { sum: 0 },
          add: (s: any, c: any) => plus(s, { sum: number(c[last]) }),
          merge: plus,
        } as never) as any;
        // Folds the children as they were before any of the filters among the steps.
        const whole = `${into}-whole`;
        const reduceWhole = defineReduce(whole, {
          reads: one('n'),
          into: whole,
          zero: { sum: 0 },
          add: (s: any, c: any) => plus(s, { sum: number(c.n) }),
          merge: plus,
        } as never) as any;
        return { record: join(record, reduce(inner.record), reduceWhole(children)), fields: [...fields, into, whole] };
      }
      case 'branches': {
        const [left, right] = [walk(record, fields, step.left), walk(record, fields, step.right)];
        return { record: join(left.record, right.record as never), fields: [...new Set([...left.fields, ...right.fields])] };
      }
    }
  }
  const In = z.object({ id: z.string(), n: z.number() });
  return definePipeline('random', { input: In, key: 'id', output: one('id', 'copy') }, (r: any) => {
    const { record, fields } = walk(r, ['n'], all);
    const store = defineFunction('store', {
      effect: 'idempotent-write',
      reads: one('id', ...fields),
      writes: one('copy'),
      handle: ({ id: _, ...copy }: any, { keys: [key] }: any) => (stored.add(key), { copy }),
    } as never) as any;
    return store(record);
  });
}

function number(value: Json | undefined): number {
  if (typeof value === 'number') return value;
  return [...JSON.stringify(value ?? null)].reduce((sum, char) => (sum * 7 + char.charCodeAt(0)) % 1009, 0);
}

const inputs = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 9 }).map((all) => all.map((n, i) => ({ id: `r${i}`, n })));

test('the batch size changes no outcome and no write', async () => {
  await fc.assert(
    fc.asyncProperty(steps, inputs, fc.integer({ min: 1, max: 4 }), async (all, records, size) => {
      const run = async (batchSize: number | 'all') => {
        const stored = new Set<string>();
        return { outcomes: await testPipeline(pipelineOf(all, stored, false), records, { batchSize }), stored: [...stored].sort() };
      };
      const together = await run('all');
      expect(together.outcomes.map(({ key }) => key)).toEqual(records.map(({ id }) => id));
      expect(together.stored).toEqual(
        together.outcomes.flatMap(({ state, key }) => (state === 'completed' ? [`random/test/${key}/store`] : [])).sort(),
      );
      expect(await run(size)).toEqual(together);
      expect(await run(1)).toEqual(together);
    }),
    { numRuns: 100 },
  );
});

test('no legal order, fusion, branching or partition changes an outcome: filters early or late, before or behind what fails', async () => {
  await fc.assert(
    fc.asyncProperty(steps, inputs, fc.infiniteStream(fc.nat(1000)), async (all, records, dice) => {
      const draw = (): number => dice.next().value as number;
      const pipeline = pipelineOf(all, new Set(), true);
      const written = await testPipeline(pipeline, records);
      const topology = anyTopology(pipeline, draw);
      const moved = await testPipeline(pipelineOf(all, new Set(), true), records, { topology });
      // Which of two functions that fail a record kills it depends on the order; that it dies does not.
      const comparable = (outcomes: typeof written) =>
        outcomes.map((outcome) => (outcome.state === 'dead' ? { state: 'dead', key: outcome.key } : outcome));
      expect(comparable(moved)).toEqual(comparable(written));
    }),
    { numRuns: 100 },
  );
});

/** Nodes in a random order that keeps the dependencies, cut into stages that wait for the stages they must, and for some others. */
function anyTopology(pipeline: ReturnType<typeof pipelineOf>, draw: () => number): TestTopology {
  const spec = specOf(pipeline);
  const all = dependencies(spec);
  const stages: { name: string; nodes: string[]; after: string[]; partitions: number }[] = [];
  const stageOf = new Map<string, string>();
  const left = new Set(spec.nodes.map(({ id }) => id));
  while (left.size > 0) {
    const free = [...left].filter((id) => all.every(({ from, to }) => to !== id || !left.has(from)));
    const id = free[draw() % free.length] as string;
    left.delete(id);
    const needed = new Set(all.flatMap(({ from, to }) => (to === id ? [stageOf.get(from) as string] : [])));
    const last = stages.at(-1);
    // Fuse with the last stage when all that it needs lies there or before it; else begin a stage.
    if (last && draw() % 2 === 0 && [...needed].every((name) => name === last.name || reaches(stages, last.name, name)))
      last.nodes.push(id);
    else
      stages.push({
        name: id,
        nodes: [id],
        after: [...new Set([...needed, ...stages.filter(() => draw() % 4 === 0).map(({ name }) => name)])],
        partitions: 1 + (draw() % 3),
      });
    stageOf.set(id, stages.at(-1)?.name as string);
  }
  return { stages };
}

function reaches(stages: TestTopology['stages'], from: string, to: string): boolean {
  const stage = stages.find(({ name }) => name === from);
  return stage?.after.some((name) => name === to || reaches(stages, name, to)) ?? false;
}
