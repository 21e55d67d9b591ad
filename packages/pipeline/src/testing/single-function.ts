/* eslint-disable @typescript-eslint/no-explicit-any -- handlers are given what the compiler would refuse */
/** What the tests of the runtime begin with: a pipeline of one function, records for it, and the options of a run. */
import { z } from 'zod';
import { defineFunction, definePipeline, type AnyPipeline, type Death, type Fields, type RecordState } from '../index.js';
import { runNodes, type RunOptions } from '../runtime/index.js';

export const In = z.object({
  id: z.string(),
  n: z.number().default(0),
  deep: z.object({ list: z.array(z.number()) }).default({ list: [1, 2] }),
});
export const on = { input: In, key: 'id', output: z.object({ id: z.string() }) } as const;
export const N = In.pick({ n: true });
export const M = z.object({ m: z.number() });

export const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  resource: () => Promise.reject(new Error('no resource here')),
  idempotencyScope: 'p/live',
  final: false,
  strict: true,
  signal: new AbortController().signal,
  log: () => {},
  progress: () => {},
  clock: { now: () => 0, cpu: () => 0 },
  ...more,
});

export const state = (index: number, fields: Fields = {}): RecordState => ({
  index,
  key: `k${index}`,
  arrivedAt: `2026-01-0${index + 1}T00:00:00.000Z`,
  fields: { id: `k${index}`, n: index, deep: { list: [1, 2] }, ...fields },
});
export const states = (count: number): RecordState[] => Array.from({ length: count }, (_, i) => state(i));

/** A pipeline of one function `f` that adds m. */
export const single = (spec: object): AnyPipeline =>
  definePipeline(
    'p',
    on,
    (r) =>
      defineFunction('f', { effect: 'pure', reads: N, writes: M, handle: ({ n }: { n: number }) => ({ m: n }), ...spec } as never)(
        r as never,
      ) as never,
  );

export const reads = (handle: (record: any, context: any) => unknown): AnyPipeline => single({ handle });

/** Why the first record dies of `f`, if it does. */
export const death = async (spec: object, more: Partial<RunOptions> = {}): Promise<Death | undefined> =>
  (await runNodes(single(spec), ['f'], [state(0)], options(more))).done[0]?.death;
