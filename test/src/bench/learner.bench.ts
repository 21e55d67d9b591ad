/**
 * What a learner costs live work: p95 of the example under an open load at half of what it can do, with and without a training on the same machine, taking
 * turns. The learner's process has the lowest priority but for its share of the cores, as in production.
 */
import { createRequire } from 'node:module';
import { CONTROL_QUEUE, type TrainingInput } from '@autoflow/topology';
import { TRAINING_WORKFLOW, trainingWorkflowId } from '@autoflow/workflows';
import { runCell, type Side } from './baselines/cell.js';
import { invoices } from './cells/invoices.js';
import { startRetailStack } from './cells/retail-stack.js';
import type { BenchOptions } from './main.js';
import type { BenchPlatform } from './platform.js';
import type { BenchReport } from './report.js';
import { mean, median, quantile } from './statistics.js';
import { allocationOf, LINGER_MS, topologyOf, type TwinPlan } from './twin/plans.js';
import { throughputOf } from './twin/real.js';

const PLAN: TwinPlan = { shape: 'two stages', batch: 4, memoryMb: 1024, concurrency: 4 };
const FULL = { repetitions: 8, seconds: 40, warmUpSeconds: 5, saturatedSeconds: 12 };
const QUICK = { repetitions: 3, seconds: 12, warmUpSeconds: 3, saturatedSeconds: 5 };
const OPEN_SHARE = 0.5;
/** Never used up: it is cancelled with the cell. */
const BUDGET = { steps: 1e9 };

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const conditions = quick ? QUICK : FULL;
  const stack = await startRetailStack({ onFile: false });
  const { platform } = stack;
  try {
    await platform.startWorker({}, ['workflows', 'functions']);
    const learner = { program: createRequire(import.meta.url).resolve('@autoflow/learning/learner') };
    await platform.startWorker({ learner }, ['control', 'learner']);
    const load = await invoices(platform.spec);
    const version = await platform.version(topologyOf(PLAN), allocationOf(PLAN));
    const most = await throughputOf(platform, version, PLAN, conditions.saturatedSeconds, load.next);
    const rate = Number((OPEN_SHARE * most).toPrecision(3));
    progress(`${most.toFixed(1)} records/s at most; ${rate}/s from now on`);
    const side: Side = { name: 'two stages', version, batch: PLAN.batch, lingerMs: LINGER_MS, firstRate: rate };
    const cell = async (repetition: number): Promise<number> => {
      const { latency } = await runCell({
        ...{ platform, side, rate, repetition, records: load.next },
        conditions: { ...conditions, repetitions: 1, factor: 1, drainSeconds: 60, serviceLevelMs: Number.POSITIVE_INFINITY },
      });
      if (latency === undefined) throw new Error('nothing was measured');
      return latency.p95;
    };
    const pairs: { readonly without: number; readonly with: number; readonly steps: number }[] = [];
    for (let repetition = 0; repetition < conditions.repetitions; repetition++) {
      const alone = (): Promise<number> => cell(repetition);
      const beside = () => besideTraining(platform, `bench-${repetition}`, alone);
      // Whoever comes second finds the machine warmer.
      const early = repetition % 2 === 0 ? await alone() : undefined;
      const loaded = await beside();
      const without = early ?? (await alone());
      pairs.push({ without, with: loaded.p95, steps: loaded.steps });
      progress(`p95 ${without.toFixed(0)} ms, with a learner ${loaded.p95.toFixed(0)} ms (${loaded.steps} steps meanwhile)`);
    }
    const overheads = pairs.map((pair) => 100 * (pair.with / pair.without - 1));
    return {
      bars: [{ name: 'p95 of live work, more with a learner on the same machine, median of the pairs', figure: median(overheads), unit: '%', must: '<=', bar: 5 }],
      figures: { conditions, plan: PLAN, rate, load: load.about, pairs, overheads, quartiles: [0.25, 0.75].map((q) => quantile(overheads, q)), steps: mean(pairs.map(({ steps }) => steps)) },
      notMeasured: [
        'more than one learner; a learner on a host of its own, where it costs live work nothing',
        ...(quick ? ['as many and as long cells as the bar asks for'] : []),
      ],
    }; // prettier-ignore
  } finally {
    await stack.stop();
  }
}

/** The training runs before the load begins, and ends after it. */
async function besideTraining(platform: BenchPlatform, training: string, measure: () => Promise<number>) {
  const { client, store } = platform;
  const input: TrainingInput = { training, learners: 1, budget: BUDGET };
  const handle = await client.workflow.start(TRAINING_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: trainingWorkflowId(training),
    args: [input],
  });
  while (((await store.trainings.get(training))?.steps ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  const p95 = await measure();
  await handle.cancel();
  await handle.result().catch(() => undefined);
  return { p95, steps: (await store.trainings.get(training))!.steps };
}
