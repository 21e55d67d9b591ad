/**
 * Learners side by side: a training as a workflow, with one, two and four learners under two worker processes. All are given the same wall
 * time; what is compared is how long each took to where the single learner got to. Sides take turns. At the end a training with four loses
 * one of its two processes.
 */
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { runKilled, type KilledRun } from './learners/killed.js';
import { about, rule } from './learners/judge.js';
import { startLab } from './learners/lab.js';
import { speedUp } from './learners/reached.js';
import { runTraining, type TrainingRun } from './learners/training-run.js';
import { mean, median } from './statistics.js';

const SIDES = [1, 2, 4];
const FULL = { seconds: 45, steps: 400_000, repetitions: 3 };
const QUICK = { seconds: 40, steps: 400_000, repetitions: 1 };
/** Of the single learner's score; the others are told beside it. */
const TOLERANCE = 0.02;
const TOLERANCES = [0, TOLERANCE, 0.05, 0.1];

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const conditions = quick ? QUICK : FULL;
  const lab = await startLab();
  try {
    const runs: TrainingRun[] = [];
    for (let repetition = 0; repetition < conditions.repetitions; repetition++)
      for (const learners of repetition % 2 === 0 ? SIDES : SIDES.toReversed()) {
        const training = `bench-${repetition}-${learners}`;
        const { run } = await runTraining(lab, { training, learners, seed: 1 + repetition, conditions });
        runs.push(run);
        progress(lineOf(run));
      }
    const killed = await runKilled(lab, { training: 'bench-killed', learners: SIDES.at(-1)!, seed: 1, conditions });
    progress(`killed after ${killed.killedAtSeconds.toFixed(0)} s: ${JSON.stringify(killed.killed)}; ${lineOf(killed)}`);
    return reportOf(runs, killed, { conditions, judgedOn: about, hpa: rule() }, quick);
  } finally {
    await lab.stop();
  }
}

type Told = Pick<
  TrainingRun,
  'learners' | 'seed' | 'score' | 'untrained' | 'steps' | 'stepsPerSecond' | 'busyCores' | 'storeShare' | 'refused' | 'lag' | 'hosts'
>;

const lineOf = ({ learners, seed, score, untrained, steps, stepsPerSecond, busyCores, storeShare, refused, lag, hosts }: Told): string =>
  `${learners} learners, seed ${seed}: J ${untrained.toFixed(2)} → ${score.toFixed(3)}, ${steps} steps, ${stepsPerSecond.toFixed(0)}/s, ${busyCores.toFixed(2)} cores busy, ${(100 * storeShare).toFixed(1)} % in the store, lag ${lag.mean.toFixed(1)} (most ${lag.most}), ${refused} refused, ${JSON.stringify(hosts)}`;

function reportOf(runs: readonly TrainingRun[], killed: KilledRun, common: object, quick: boolean): BenchReport {
  const of = (learners: number): readonly TrainingRun[] => runs.filter((run) => run.learners === learners);
  const single = of(1);
  const pairs = (learners: number, tolerance: number) =>
    of(learners).map(({ seed, curve }) => ({ seed, ...speedUp(curve, single.find((other) => other.seed === seed)!.curve, tolerance) }));
  const sides = Object.fromEntries(
    SIDES.map((learners) => {
      const each = (value: (run: TrainingRun) => number): number => mean(of(learners).map(value));
      return [
        learners,
        {
          score: each(({ score }) => score),
          stepsPerSecond: each(({ stepsPerSecond }) => stepsPerSecond),
          cpuMsPerStep: each(({ cpuMsPerStep }) => cpuMsPerStep),
          busyCores: each(({ busyCores }) => busyCores),
          storeShare: each(({ storeShare }) => storeShare),
          lag: each(({ lag }) => lag.mean),
          weight: each(({ weight }) => weight),
          refused: each(({ refused }) => refused),
          startSeconds: each(({ startSeconds }) => startSeconds),
          againstOne: Object.fromEntries(TOLERANCES.map((tolerance) => [`within ${100 * tolerance} %`, pairs(learners, tolerance)])),
        },
      ];
    }),
  );
  const most = SIDES.at(-1)!;
  const unkilled = of(most).find(({ seed }) => seed === killed.seed)!;
  const whole = pairs(most, TOLERANCE);
  return {
    bars: [
      { name: `wall time to the single learner's score, ${most} learners ÷ 1, within ${100 * TOLERANCE} %, median of ${whole.length}`, figure: median(whole.map(({ time }) => time)), unit: '×', must: '<=', bar: 0.6 },
      { name: 'score of the single learner ÷ untrained', figure: mean(single.map(({ score, untrained }) => score / untrained)), unit: '×', must: '<=', bar: 0.8 },
      { name: 'a process killed: learners of it that did not go on under the other', figure: killed.killed.length > 0 ? killed.killed.length - killed.wentOn : Number.NaN, unit: 'learners', must: '<=', bar: 0 },
      { name: 'processes of learners left behind', figure: killed.left, unit: 'processes', must: '<=', bar: 0 },
    ],
    figures: { ...common, sides, killed: { ...killed, unkilled: { score: unkilled.score, steps: unkilled.steps } }, runs },
    notMeasured: [
      'learners on hosts of their own: two processes share the cores of one machine, with Temporal and Postgres',
      'the whole of a training: the agent is trained four times as long for its full quality (see `agent`)',
      'more repetitions: scores of trainings differ by as much as ± 0.1 from seed to seed',
      ...(quick ? ['repetitions: one of each'] : []),
    ],
  }; // prettier-ignore
}
