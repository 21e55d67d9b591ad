import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchRef, StagePlan } from '@autoflow/topology';
import { BISECTION_BUDGET, dispatchPart, type Attempt, type Dispatcher, type Invocation } from './dispatch.js';

const PLAN: StagePlan = {
  memoryMb: [128, 256, 512],
  effect: 'pure',
  timeoutMs: 1000,
  retry: { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 150 },
};

/** What an invocation comes to; `untouched`: the platform failed before any handler had begun. */
type Outcome = Attempt['kind'] | 'untouched' | { readonly retry: readonly number[] };

/** A pool made of rules: files are lists of record numbers. `run` says what a dispatch does to these records. */
class FakePool implements Dispatcher {
  readonly files = new Map<string, readonly number[]>();
  readonly invocations: { readonly records: readonly number[]; readonly memoryMb: number; readonly how: Invocation }[] = [];
  /** How often handlers may have run, by record. */
  readonly runs = new Map<number, number>();
  readonly condemned: { readonly records: readonly number[]; readonly code: string }[] = [];
  readonly slept: number[] = [];
  readonly required: number[] = [];
  readonly emitted: number[] = [];
  private bisections = 0;

  constructor(private readonly run: (records: readonly number[], memoryMb: number, how: Invocation) => Outcome) {}

  write(records: readonly number[]): BatchRef {
    const ref = `file${this.files.size}`;
    this.files.set(ref, records);
    return { ref, bytes: 1, counts: { records: records.length, live: records.length, filtered: 0, dying: 0 } };
  }
  async invoke(how: Invocation, memoryMb: number): Promise<Attempt> {
    const merged = [...new Set(how.inputs.flatMap(({ ref }) => this.files.get(ref) ?? []))].sort((a, b) => a - b);
    const records = how.slice ? merged.slice(how.slice.from, how.slice.to) : merged;
    if (how.condemn) {
      this.condemned.push({ records, code: how.condemn.code });
      return { kind: 'answer', answer: { output: this.write(records) } };
    }
    this.invocations.push({ records, memoryMb, how });
    const outcome = this.run(records, memoryMb, how);
    if (outcome === 'untouched') return { kind: 'platform', code: 'STORE_DOWN', message: 'the store is down', begun: false };
    for (const record of records) this.runs.set(record, (this.runs.get(record) ?? 0) + 1);
    if (typeof outcome === 'object') {
      const retry = outcome.retry.filter((record) => records.includes(record));
      return {
        kind: 'answer',
        answer: {
          output: this.write(records.filter((record) => !retry.includes(record))),
          ...(retry.length > 0 && { retry: this.write(retry) }),
        },
      };
    }
    return outcome === 'answer'
      ? { kind: 'answer', answer: { output: this.write(records) } }
      : { kind: outcome, code: 'KILLED', message: 'the process was killed', begun: true };
  }
  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
  }
  async requireMemory(memoryMb: number): Promise<void> {
    this.required.push(memoryMb);
  }
  emit({ ref }: BatchRef): void {
    this.emitted.push(...(this.files.get(ref) ?? []));
  }
  mayBisect(): boolean {
    return this.bisections++ < BISECTION_BUDGET;
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

async function dispatch(count: number, pool: FakePool, plan: StagePlan = PLAN): Promise<FakePool> {
  await dispatchPart({ inputs: [pool.write(numbers(count))], records: count }, plan, pool);
  expect(
    [...pool.emitted].sort((a, b) => a - b),
    'every record ends in exactly one output',
  ).toEqual(numbers(count));
  return pool;
}

describe('retry', () => {
  it('dispatches again only the records to retry, with backoff, the last time as final', async () => {
    const pool = await dispatch(5, new FakePool((_, __, { final }) => (final ? 'answer' : { retry: [1, 3] })));
    expect(pool.invocations.map(({ records, how }) => [records, how.dispatch, how.final])).toEqual([
      [[0, 1, 2, 3, 4], 0, false],
      [[1, 3], 1, false],
      [[1, 3], 2, true],
    ]);
    expect(pool.slept).toEqual([100, 150]);
  });

  it('is final at once where one attempt is all there is', async () => {
    const pool = await dispatch(2, new FakePool(() => 'answer'), { ...PLAN, retry: { ...PLAN.retry, maximumAttempts: 1 } });
    expect(pool.invocations.map(({ how }) => how.final)).toEqual([true]);
  });

  it('waits for the platform as long as it takes, and counts nothing of it as an attempt', async () => {
    let down = 3;
    const pool = await dispatch(2, new FakePool(() => (down-- > 0 ? 'platform' : 'answer')));
    expect(pool.invocations.map(({ how }) => how.dispatch)).toEqual([0, 0, 0, 0]);
    expect(pool.slept).toEqual([5000, 10_000, 20_000]);
  });
});

describe('memory', () => {
  it('goes to the next size, which is made known before', async () => {
    const pool = await dispatch(3, new FakePool((_, memoryMb) => (memoryMb < 512 ? 'out-of-memory' : 'answer')));
    expect(pool.invocations.map(({ memoryMb }) => memoryMb)).toEqual([128, 256, 512]);
    expect(pool.required).toEqual([256, 512]);
  });

  it('tries the largest size once more: the instance may have been full of what others had left in it', async () => {
    let deaths = 1;
    const pool = await dispatch(1, new FakePool((_, memoryMb) => (memoryMb < 512 || deaths-- > 0 ? 'out-of-memory' : 'answer')));
    expect(pool.invocations.map(({ memoryMb }) => memoryMb)).toEqual([128, 256, 512, 512]);
    expect(pool.condemned).toEqual([]);
  });

  it('isolates the record that does not fit the largest size', async () => {
    const pool = await dispatch(8, new FakePool((records) => (records.includes(5) ? 'out-of-memory' : 'answer')));
    expect(pool.condemned).toEqual([{ records: [5], code: 'KILLED' }]);
  });
});

describe('process death', () => {
  it('gives the part a second chance before it bisects', async () => {
    let deaths = 1;
    const pool = await dispatch(4, new FakePool(() => (deaths-- > 0 ? 'process-lost' : 'answer')));
    expect(pool.invocations.map(({ records }) => records.length)).toEqual([4, 4]);
  });

  it('never runs a plain write again', async () => {
    for (const kind of ['process-lost', 'host-lost', 'out-of-memory', 'platform'] as const) {
      const pool = await dispatch(4, new FakePool(() => kind), { ...PLAN, effect: 'write' });
      expect(pool.invocations).toHaveLength(1);
      expect(pool.condemned).toEqual([{ records: [0, 1, 2, 3], code: 'NOT_RERUN' }]);
    }
  });

  it('runs a plain write again when no handler had begun', async () => {
    let down = 2;
    const pool = await dispatch(4, new FakePool(() => (down-- > 0 ? 'untouched' : 'answer')), { ...PLAN, effect: 'write' });
    expect(pool.invocations).toHaveLength(3);
    expect(pool.condemned).toEqual([]);
  });

  it('condemns exactly the records that kill their process, while the budget lasts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(99), { maxLength: 3 }), async (count, poison) => {
        const deadly = [...new Set(poison.filter((record) => record < count))].sort((a, b) => a - b);
        const pool = await dispatch(
          count,
          new FakePool((records) => (deadly.some((record) => records.includes(record)) ? 'process-lost' : 'answer')),
        );
        expect(pool.condemned.flatMap(({ records }) => records).sort((a, b) => a - b)).toEqual(deadly);
      }),
    );
  });

  it('stops bisecting when the budget is used up, and condemns the rest', async () => {
    const pool = await dispatch(1000, new FakePool(() => 'process-lost'));
    expect(pool.invocations.length).toBeLessThanOrEqual(BISECTION_BUDGET + 2);
    expect(pool.condemned.some(({ code }) => code === 'BISECTION_BUDGET')).toBe(true);
  });
});

it('whatever happens, every record ends in exactly one output, and none is written twice by a plain write', async () => {
  const kinds = fc.constantFrom('answer', 'answer', 'out-of-memory', 'process-lost', 'host-lost', 'retry', 'platform', 'untouched');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.array(kinds, { minLength: 1, maxLength: 60 }),
      fc.constantFrom('pure', 'idempotent-write', 'write'),
      async (count, script, effect) => {
        let step = 0;
        const run = (records: readonly number[], _: number, { final }: Invocation): Outcome => {
          const next = script[step++] ?? 'answer';
          if (next !== 'retry') return next;
          return final ? 'answer' : { retry: records.filter((record) => record % 2 === 0) };
        };
        const maximumAttempts = effect === 'write' ? 1 : PLAN.retry.maximumAttempts;
        const pool = await dispatch(count, new FakePool(run), { ...PLAN, effect, retry: { ...PLAN.retry, maximumAttempts } });
        if (effect === 'write') expect(Math.max(0, ...pool.runs.values())).toBeLessThanOrEqual(1);
      },
    ),
  );
});
