import { hashTopology, validateAllocation, validateTopology } from '@autoflow/topology';
import { applyStep, checkCertificate } from '@autoflow/topology/rewrites';
import { arbitraryPipelineSpec } from '@autoflow/topology/testing';
import { functionModel, uniform } from '@autoflow/twin';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Evaluator, type Evaluation } from './evaluator.js';
import type { Problem } from './problem.js';
import { propose, type Finished, type Proposed } from './propose.js';
import { PROPOSERS } from './proposers/index.js';
import { regret } from './score.js';
import { envelopeOf } from './space/formula.js';
import { limitsOf, PlanSpace } from './space/plan-space.js';
import { pipelineOf, problemOf } from './testing/problems.js';
import { certified } from './winner.js';

const budget = { evaluations: 60, ms: 30_000 };

/** Thirty records in the first of six seconds, and none in the others: 5/s. */
const bursts = [
  { durationMs: 1_000, multiple: 6 },
  { durationMs: 5_000, multiple: 0 },
];

it('a load in bursts gets batches and instances for what comes in a burst', async () => {
  const steady = problemOf(pipelineOf(4), { ratePerSecond: 5 });
  const [one, other] = await Promise.all([steady, { ...steady, shape: bursts }].map((problem) => propose(problem, { budget })));
  const [slow, burst] = [one!.winner!, other!.winner!];
  expect(burst.plan.topology.batch.records).toBeGreaterThan(2 * slow.plan.topology.batch.records);
  // Both under the load in bursts.
  const evaluator = new Evaluator({ ...steady, shape: bursts }, 50);
  const [before, after] = [evaluator.evaluate(slow.plan)!, evaluator.evaluate(burst.plan)!];
  expect(after.keepsLimits).toBe(true);
  expect(after.figures.costPer1000).toBeLessThan(0.7 * before.figures.costPer1000);
});

describe('on random pipelines', () => {
  it('everything that a proposer ranks is legal, permitted and certified', async () => {
    const found: Evaluation[] = [];
    await fc.assert(
      fc.asyncProperty(arbitraryPipelineSpec({ maxNodes: 8 }), fc.nat(1000), async (spec, seed) => {
        const problem = problemOf(spec, { seed });
        const { winner, standing } = await propose(problem, { budget });
        const bests = standing.flatMap(({ best }) => (best ? [best] : []));
        for (const { plan } of bests) {
          expect(validateTopology(spec, plan.topology)).toEqual([]);
          if (plan.steps.length === 0) continue; // what runs may have bounds of its own
          expect(validateAllocation(spec, plan.topology, envelopeOf(problem, plan.topology), plan.allocation)).toEqual([]);
          expect(certified(problem, plan)).toBeDefined();
        }
        if (winner)
          expect(checkCertificate(spec, problem.start.topology, winner.plan.topology, winner.certificate, limitsOf(problem))).toEqual([]);
        found.push(...bests);
      }),
      { numRuns: 6, seed: 5 },
    );
    expect(found.some(({ plan }) => plan.steps.length > 2)).toBe(true);
  });

  it('no proposer asks the twin more often than it may', async () => {
    for (const spec of fc.sample(arbitraryPipelineSpec({ maxNodes: 6 }), { numRuns: 4, seed: 2 })) {
      const { standing } = await propose(problemOf(spec), { budget });
      expect(standing.map(({ proposer }) => proposer)).toEqual(PROPOSERS.map(({ name }) => name));
      for (const { evaluations } of standing) expect(evaluations).toBeLessThanOrEqual(budget.evaluations / PROPOSERS.length);
    }
  });
});

/** Small enough that the twin is asked about every plan. */
function small(seed: number): Problem {
  return problemOf(pipelineOf(3), {
    seed,
    limits: { memoryMb: [512, 1769], instances: 16 },
    space: {
      rewrites: ['fuse', 'split'],
      batchings: [
        { records: 1, lingerMs: 0 },
        { records: 5, lingerMs: 200 },
      ],
    },
  });
}

describe('where every plan is looked at', () => {
  it('no other proposer finds a better one, and the gap says how far the winner is from it', async () => {
    for (const seed of [1, 2, 3]) {
      const { standing, gap, front, winner } = await propose(small(seed), { budget: { evaluations: 6 * 45, ms: 60_000 } });
      const [exact, ...others] = standing;
      expect(exact?.exact).toEqual({ plans: 36, by: 'twin' });
      for (const { best } of others) expect(best!.score).toBeGreaterThanOrEqual(exact!.best!.score);
      const kept = new Evaluator(small(seed), 5).evaluate(winner!.plan)!;
      expect(gap).toEqual({ share: regret(kept.score, exact!.best!.score), space: exact!.exact });
      for (const one of front)
        expect(
          front.every(
            (other) =>
              other === one ||
              other.figures.p95Ms < one.figures.p95Ms ||
              other.figures.costPer1000 < one.figures.costPer1000 ||
              other.figures.throughput < one.figures.throughput,
          ),
        ).toBe(true);
    }
  });

  it('the gap is one to an optimum only there: else to the best known of what was searched, and called so', async () => {
    const { gap, winner, front } = await propose(small(1), { budget: { evaluations: 6 * 12, ms: 60_000 } });
    expect(gap).toEqual({
      share: expect.any(Number),
      bestKnown: { evaluations: expect.any(Number), proposers: PROPOSERS.map(({ name }) => name) },
      reason: expect.stringContaining('not asked about all 36 plans, which were enumerated by formula only'),
    });
    expect('share' in gap && gap.share).toBeGreaterThanOrEqual(0);
    expect([winner !== undefined, front.length > 0]).toEqual([true, true]);
  });

  it('one seed, one answer', async () => {
    const problem = problemOf(pipelineOf(4));
    const answers = [await propose(problem, { budget }), await propose(problem, { budget })].map(({ standing, winner }) => [
      winner && hashTopology(winner.plan.topology),
      standing.map(({ best, evaluations }) => [best?.score, evaluations]),
    ]);
    expect(answers[0]).toEqual(answers[1]);
  });

  it('a search that was ended from outside goes on behind those that have finished, and comes to the same', async () => {
    const problem = problemOf(pipelineOf(4));
    const told: Finished[] = [];
    const whole = await propose(problem, { budget, progress: ({ finished }) => void (finished && told.push(finished)) });
    const names = PROPOSERS.map(({ name }) => name);
    expect(told.map(({ standing }) => standing.proposer)).toEqual(names.slice(0, -1));

    const finished = JSON.parse(JSON.stringify(told.slice(0, 3))) as Finished[];
    const asked: string[] = [];
    const proposers = PROPOSERS.map(({ name, propose }) => ({ name, propose: (...search: Parameters<typeof propose>) => (asked.push(name), propose(...search)) })); // prettier-ignore
    const resumed = await propose(problem, { budget, proposers, finished });
    expect(asked).toEqual(names.slice(3));
    const timeless = ({ standing, ...rest }: Proposed) => ({ ...rest, standing: standing.map(({ ms: _, ...one }) => one) });
    expect(timeless(resumed)).toEqual(timeless(whole));
  });
});

describe('unusual pipelines', () => {
  it('where what runs does not fit its memory: what fits is proposed, with no gain over nothing', async () => {
    const models = Object.fromEntries(['f0', 'f1'].map((node) => [node, functionModel({ memoryMb: 400, cpuPerRecordMs: 1 })]));
    const { start, ...problem } = problemOf(pipelineOf(2), { models });
    const tight = { ...start, allocation: Object.fromEntries(['f0', 'f1'].map((stage) => [stage, { memoryMb: 256, concurrency: 2 }])) };
    const { winner, start: running } = await propose({ ...problem, start: tight }, { budget });
    expect(running.predicted).toBeUndefined();
    expect(winner!.predicted.costPer1000.all.mean).toBeGreaterThan(0);
    expect(winner).not.toHaveProperty('gain');
  });

  it('of one function', async () => {
    const { winner, reason, gap } = await propose(problemOf(pipelineOf(1)), { budget: { evaluations: 600, ms: 30_000 } });
    expect(winner !== undefined || reason !== undefined).toBe(true);
    expect(gap).toMatchObject({ space: { by: 'twin' } });
  });

  it('where what runs is the best, it stays', async () => {
    const problem = small(1);
    const { winner } = await propose(problem, { budget: { evaluations: 6 * 45, ms: 60_000 } });
    const again = await propose(
      { ...problem, start: { topology: winner!.plan.topology, allocation: winner!.plan.allocation } },
      { budget: { evaluations: 6 * 45, ms: 60_000 } },
    );
    expect(again.winner).toBeUndefined();
    expect(again.reason).toContain('more than chance');
  });

  it.each([
    ['60 functions in a row', pipelineOf(60)],
    ['40 branches beside each other', pipelineOf(42, (i) => (i === 0 ? undefined : 0))],
  ])('of %s: no enumeration is claimed, and what is proposed is certified', async (_, spec) => {
    const { standing, gap } = await propose(problemOf(spec), { budget: { evaluations: 24, ms: 20_000 } });
    expect(gap).toMatchObject({ bestKnown: {}, reason: expect.stringMatching(/^not enumerated: /) });
    for (const { best } of standing) if (best && best.plan.steps.length > 0) expect(certified(problemOf(spec), best.plan)).toBeDefined();
    expect(standing.some(({ best }) => best && best.plan.steps.length > 0)).toBe(true);
  });
});

describe('a limit is kept before anything is saved', () => {
  const batched = { records: 20, lingerMs: 1000 };
  const free = problemOf(pipelineOf(3), {
    space: { rewrites: ['batch-size', 'linger'], batchings: [{ records: 1, lingerMs: 0 }, batched] },
    objective: { minimise: 'cost' },
  });
  const within = (p95Ms: number, start = free.start): Problem => ({ ...free, start, objective: { minimise: 'cost', p95Ms } });

  it('what breaks one which others keep does not win, whatever it saves; what breaks it already gives way, whatever that costs', async () => {
    const { winner: cheapest, start } = await propose(free, { budget });
    expect(cheapest!.plan.topology.batch.records).toBe(batched.records);
    expect(start.predicted!.costPer1000.all.mean / cheapest!.predicted.costPer1000.all.mean).toBeGreaterThan(2 * Math.E);
    const p95Ms = 0.9 * cheapest!.predicted.latencyMs.p95.mean;
    expect(start.predicted!.latencyMs.p95.mean).toBeLessThan(p95Ms);

    const kept = await propose(within(p95Ms), { budget });
    expect(kept.winner?.plan.topology.batch.records ?? 1).toBe(1);
    expect(kept.standing.map(({ best }) => best!.keepsLimits)).toEqual(PROPOSERS.map(() => true));
    const broken = await propose(within(p95Ms, cheapest!.plan), { budget });
    expect(broken.winner).toMatchObject({ keepsLimits: true, plan: { topology: { batch: { records: 1 } } } });
    expect(broken.winner!.gain!.mean).toBeGreaterThan(0);
  });

  it('one that nothing keeps decides nothing, and that is said', async () => {
    expect((await propose(within(1), { budget })).winner).toMatchObject({ keepsLimits: false });
  });
});

it('what is excluded is not proposed, with whatever allocation, with its dead fields or without: the next best is', async () => {
  const problem = problemOf(pipelineOf(4), { space: { rewrites: ['batch-size', 'linger'] } });
  const proposedBut = async (...excluded: string[]) => {
    const { winner } = await propose({ ...problem, excluded }, { budget, proposers: PROPOSERS.filter(({ name }) => name === 'beam') });
    return winner!.plan.topology;
  };
  const best = await proposedBut();
  const second = await proposedBut(hashTopology(best));
  const third = await proposedBut(hashTopology(best), hashTopology(second));
  expect(new Set([best, second, third].map(({ batch, lingerMs }) => `${batch.records} ${lingerMs}`)).size).toBe(3);

  expect(best.stages.some(({ drops }) => drops !== undefined)).toBe(true);
  const whole = { ...best, stages: best.stages.map(({ drops: _, ...stage }) => stage) };
  expect(hashTopology(await proposedBut(hashTopology(whole)))).toBe(hashTopology(second));
});

it('what is proposed writes on no dead fields, also those that what runs has dropped, and is certified with that', async () => {
  const problem = problemOf(pipelineOf(4), { space: { rewrites: ['batch-size', 'linger'] } });
  const { topology } = problem.start;
  const dropping = applyStep(topology, { rewrite: 'drop-dead-fields', stage: topology.stages[2]!.name, fields: ['v0'], children: [] });
  const { winner } = await propose(
    { ...problem, start: { ...problem.start, topology: dropping } },
    { budget, proposers: PROPOSERS.filter(({ name }) => name === 'greedy') },
  );
  const { plan, certificate } = winner!;
  expect(plan.topology.batch.records).toBeGreaterThan(1);
  expect(plan.topology.stages.map(({ drops }) => drops?.fields)).toEqual([undefined, ['v0'], ['v0', 'v1'], undefined]);
  expect(checkCertificate(problem.spec, dropping, plan.topology, certificate, limitsOf(problem))).toEqual([]);
});

describe('what a rollout would take back for its p95', () => {
  const loaded = problemOf(pipelineOf(3), { ratePerSecond: 200, objective: { minimise: 'cost' } });
  const rollout = { ratePerSecond: 2, p95: 1 };
  const proposers = PROPOSERS.filter(({ name }) => name === 'beam' || name === 'analytic');
  const found = (problem: Problem) => propose(problem, { budget: { evaluations: 60, ms: 60_000 }, proposers });

  it('is not proposed, whatever it saves: batches that fill under the full load linger in an arm of the canary', async () => {
    const { winner: cheapest } = await found(loaded);
    const judged = new Evaluator({ ...loaded, rollout }, 500);
    const lingering = judged.evaluate(cheapest!.plan)!;
    expect(lingering).toMatchObject({ isRefused: true, keepsLimits: false });

    const proposed = await found({ ...loaded, rollout });
    expect(proposed.winner).toBeDefined();
    expect(proposed.rollout!.p95Ms).toBeLessThanOrEqual(proposed.rollout!.runningP95Ms);
    expect(lingering.rolloutP95Ms).toBeGreaterThan(proposed.rollout!.runningP95Ms);
    expect(judged.evaluate(proposed.winner!.plan)!.score).toBeLessThan(lingering.score);
  });

  it('is not proposed in place of what cannot carry the load either; what runs is held to nothing', async () => {
    const { topology, allocation } = loaded.start;
    const one = Object.fromEntries(Object.keys(allocation).map((stage) => [stage, { memoryMb: 512, concurrency: 1 }]));
    const problem: Problem = { ...loaded, start: { topology, allocation: one }, objective: { minimise: 'cost', p95Ms: 100 } };
    expect((await found(problem)).winner).toBeDefined();
    const { winner, start, reason } = await found({ ...problem, rollout: { ...rollout, p95: 0.01 } });
    expect([winner, start.evaluation!.isRefused]).toEqual([undefined, false]);
    expect(reason).toContain('would be taken back by its rollout');
  });
});

it('is left off when it is aborted', async () => {
  const abort = new AbortController();
  const asked = propose(problemOf(pipelineOf(6)), {
    budget: { evaluations: 100_000, ms: 600_000 },
    signal: abort.signal,
    progress: ({ proposer }) => {
      if (proposer === 'annealing') abort.abort(new Error('enough'));
    },
    proposers: PROPOSERS.filter(({ name }) => name === 'annealing'),
  });
  await expect(asked).rejects.toThrow('enough');
});

describe('the time of a search', () => {
  afterEach(() => void vi.restoreAllMocks());

  it.each(PROPOSERS.map((proposer) => [proposer.name, proposer] as const))('%s ends with its milliseconds', async (_, proposer) => {
    const problem = problemOf(pipelineOf(6));
    const account = new Evaluator(problem, 50).account({ evaluations: 100_000, ms: MS });
    // A clock that goes on by a millisecond whenever somebody looks.
    let now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => ++now);
    const begun = now;
    await proposer.propose({ problem, space: new PlanSpace(problem), account, random: uniform(1) });
    expect(now - begun).toBeLessThan(1.5 * MS);
  });
  const MS = 200;
});
