/** The load loop under a clock that only the test moves. */
import { setMaxListeners } from 'node:events';
import { constant, rateTrace } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.js';
import { measure, type EndedRecord } from './measured.js';
import { offer, type OfferOptions, type Submission } from './open-loop.js';
import { runMark } from './run-mark.js';

const START = 1_700_000_000_000;
const mark = runMark('test');
const record = (number: number, intendedMs: number): string => mark.stamp(`k${number}`, number, intendedMs);
const trace = rateTrace('constant', constant(100, 20_000), 'even');
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sleepers wake in order of their time, whenever everything that can go on has gone on. */
setMaxListeners(0); // Every sleeper hears the signal.

class VirtualClock implements Clock {
  private time = START;
  private readonly sleepers: { at: number; wake: () => void }[] = [];
  now = (): number => this.time;

  sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      this.sleepers.push({ at, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    for (await settled(); !isDone; await settled()) {
      const next = this.sleepers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) continue;
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    return done;
  }
}

/** Answers after `answersAfter(now)`; a record has its outcome when it is answered. */
function world(answersAt: (now: number) => number) {
  const clock = new VirtualClock();
  const ended: EndedRecord[] = [];
  const posts: number[] = [];
  const submit = async (records: readonly string[]): Promise<Submission> => {
    posts.push(clock.now() - START);
    await clock.sleepUntil(answersAt(clock.now() - START) + START);
    ended.push(...records.map((key): EndedRecord => ({ key, state: 'completed', endedAt: clock.now() })));
    return { accepted: records.length, refused: 0 };
  };
  const run = (options: Partial<OfferOptions<string>> = {}) =>
    clock.run(offer({ trace, seed: 1, record, submitter: { submit }, clock, ...options }));
  return { clock, ended, posts, run };
}

/** Whatever is sent in the seconds from 5 to 10 is answered at 10. */
const stalled = (now: number): number => (now >= 5000 && now < 10_000 ? 10_000 : now + 2);

it('sends every arrival of the trace at its time, and never waits for an answer', async () => {
  const { run, posts, ended } = world((now) => now + 60_000);
  const offered = await run();
  expect(offered).toMatchObject({ offered: 2000, accepted: 2000, refused: 0, failed: 0, lateness: { max: 0 } });
  expect([posts[0], posts.at(-1)]).toEqual([10, expect.closeTo(20_000)]);
  const { latency } = await measure(ended, { mark, offered, clockOffsetMs: 0 });
  expect(latency!.p50).toBeGreaterThan(60_000 * 0.98);
});

describe('no omission is coordinated: a stall of five seconds is latency of every record that was meant to arrive in it', () => {
  it('when the posts stall', async () => {
    const { run, ended } = world(stalled);
    const offered = await run();
    expect(offered.lateness!.max).toBe(0);
    await showsTheStall(offered, ended);
  });

  it('when so much is unanswered that the generator itself must wait', async () => {
    const { run, ended } = world(stalled);
    const offered = await run({ maxPending: 20 });
    expect(offered.offered).toBe(2000);
    expect(offered.lateness!.max).toBeGreaterThan(4000);
    const { invalid } = await showsTheStall(offered, ended);
    expect(invalid).toEqual([expect.stringMatching(/^records left up to \d{4} ms late/)]);
  });

  async function showsTheStall(offered: Awaited<ReturnType<typeof offer>>, ended: readonly EndedRecord[]) {
    const measured = await measure(ended, { mark, offered, clockOffsetMs: 0 });
    // A quarter of the records (5 of 20 s) waits between 0 and 5 s, a tenth of that more than 4.5 s.
    expect(measured.latency!.p50).toBeLessThan(10);
    expect(measured.latency!.p95).toBeGreaterThan(3900);
    expect(measured.latency!.p99).toBeGreaterThan(4700);
    expect(measured.latency!.mean).toBeGreaterThan(600);
    return measured;
  }
});

it('counts what is refused and what nobody knows about, and does not pass it off as load', async () => {
  const { clock } = world(() => 0);
  let posts = 0;
  const submitter = {
    submit: (records: readonly string[]) =>
      ++posts === 3 ? Promise.reject(new Error('connection reset')) : Promise.resolve({ accepted: 0, refused: records.length }),
  };
  const offered = await clock.run(offer({ trace, seed: 1, record, submitter, clock, windowMs: 100 }));
  expect(offered).toMatchObject({ offered: 2000, accepted: 0, failed: 11, refused: 1989, failure: 'connection reset' });
  expect((await measure([], { mark, offered, clockOffsetMs: 0 })).invalid).toEqual([expect.stringContaining('connection reset')]);
});

it('stops at once when it is told to, and waits for what was sent', async () => {
  const asked = new AbortController();
  const { run, ended } = world((now) => now + 1000);
  const offered = await run({ signal: asked.signal, onSent: ({ offered }) => void (offered === 500 && asked.abort()) });
  expect(offered).toMatchObject({ offered: 500, accepted: 500 });
  expect(offered.endedAt - START).toBeLessThan(5100);
  expect(ended).toHaveLength(500);
});

describe('figures', () => {
  const offered = { offered: 1000, accepted: 1000, refused: 0, failed: 0, startedAt: START, endedAt: START + 10_000, lateness: undefined };
  const row = (intendedMs: number, afterMs: number, state: EndedRecord['state'] = 'completed'): EndedRecord => ({
    key: mark.stamp('k', 0, intendedMs),
    state,
    endedAt: START + intendedMs + afterMs,
  });

  it('count from the intended arrival, by one clock, after the warm-up', async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => row(i * 10, 300 + (i < 200 ? 5000 : 0)));
    const figures = await measure(rows, { mark, offered, clockOffsetMs: 200, warmUpMs: 2000 });
    expect(figures.latency).toMatchObject({ count: 800, max: 100, mean: expect.closeTo(100, 0) });
    expect(figures).toMatchObject({ offeredRate: 100, outcomes: { completed: 1000 }, unfinished: 0, invalid: [] });
  });

  it('tell the backlog, and leave out what another run left', async () => {
    const rows = [row(0, 100), row(9000, 5000, 'dead'), { ...row(0, 1), key: 'k~other.0.0' }, row(10, 10, 'filtered')];
    const figures = await measure(rows, { mark, offered: { ...offered, accepted: 4 }, clockOffsetMs: 0 });
    expect(figures).toMatchObject({ backlog: 2, unfinished: 1, achievedRate: 0.2 });
    expect(figures.outcomes).toEqual({ completed: 1, filtered: 1, dead: 1, cancelled: 0 });
  });
});

it('a key tells when its record was meant to arrive', () => {
  const key = mark.stamp('C536~365.x', 12_345, 1234.567);
  expect(key.startsWith('C536~365.x~test.')).toBe(true);
  expect(mark.intendedMs(key)).toBeCloseTo(1234.567, 3);
  expect(runMark('other').intendedMs(key)).toBeUndefined();
});
