/** The learned topology scorer on families that it has never seen: regret against the exact optimum by twin, beside every other ranker. */
import { loadBackend, PRETRAINED, readModel, Scorer, trainInChild, type GcnModel } from '@autoflow/learning';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge, tableOf, type Pipeline } from './gcn/exact.js';
import { drawn, KINDS, type Kind } from './gcn/pipelines.js';
import { publishedFigures } from './gcn/published.js';
import { setOfPipelines, surenessOf } from './gcn/sureness.js';
import type { BenchOptions } from './main.js';
import type { Bar, BenchReport } from './report.js';
import { mean } from './statistics.js';

/** Nothing of these seeds was learned from. */
const FIRST_SEED = 900_000_000;
const SET_SEEDS = [920_000_000, 940_000_000, 960_000_000];
const PUBLISHED_SEED = 980_000_000;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-gcn-'));
  const data = process.env['AUTOFLOW_DATA'];
  if (data === undefined) progress('without AUTOFLOW_DATA: no published workflows among what is learned from, nor among what is judged');
  const train = async (
    graph: boolean,
  ): Promise<{ readonly model: GcnModel; readonly figures: { readonly [figure: string]: number | string } }> => {
    const out = join(folder, `${graph ? 'graph' : 'no-graph'}.json`);
    const figures = await trainInChild({
      out,
      seed: 1,
      quick: true,
      graph,
      ...(data !== undefined && { data }),
      progress: (line) => progress(`${graph ? '' : 'without graph: '}${line}`),
    });
    return { model: await readModel(out), figures };
  };
  const pretrained = await readModel(PRETRAINED);
  const learned = await train(true);
  const alone = await train(false);
  await rm(folder, { recursive: true });
  const backend = await loadBackend('native', progress);
  const scorers: { readonly [name: string]: Scorer } = {
    gcn: new Scorer(backend, learned.model),
    'gcn without graph': new Scorer(backend, alone.model),
    'gcn pretrained': new Scorer(backend, pretrained),
  };
  const ofEach = quick ? 4 : 12;
  const pipelines: Pipeline[] = [];
  for (const kind of KINDS)
    for (const { seed, ...one } of drawn(kind, FIRST_SEED, ofEach)) {
      const judged = await judge(one, seed, scorers);
      pipelines.push(judged);
      progress(
        `${kind}: ${judged.family}, ${judged.plans} plans by twin in ${judged.seconds.toFixed(1)} s, tau ${judged.tau['gcn']!.toFixed(3)}`,
      );
    }
  const sets = SET_SEEDS.map((seed, i) => {
    progress(`how sure it is, on set ${i + 1} of pipelines`);
    return setOfPipelines(seed, ofEach, scorers);
  });
  const sureness = (name: string, of: 'start' | 'plans') => surenessOf(sets, name, scorers[name]!, of);
  const published = data === undefined ? undefined : await publishedFigures(data, PUBLISHED_SEED, 4 * ofEach, scorers);
  const table = tableOf(pipelines);
  for (const { kind, ranker, meanRegret, tau } of table)
    progress(
      `${kind.padEnd(8)} ${ranker.padEnd(18)} ${Object.entries(meanRegret)
        .map(([k, share]) => `K=${k} ${(100 * share).toFixed(2)} %`)
        .join('  ')}${tau === undefined ? '' : `  tau ${tau.toFixed(3)}`}`,
    );
  const of = (kind: Kind, ranker: string, k: number): number =>
    100 * table.find((row) => row.kind === kind && row.ranker === ranker)!.meanRegret[k]!;
  const regretBar = (kind: Kind, k: number, bar: number): Bar => {
    const name = `${kind === 'joins' ? 'DAGs with joins' : kind}: regret at K=${k} (the formula alone: ${of(kind, 'analytic', k).toFixed(2)} %)`;
    return { name, figure: of(kind, 'gcn', k), unit: '%', bar, must: '<=' };
  };
  const taus = (ranker: string): number => mean(pipelines.map(({ tau }) => tau[ranker]!));
  const leads = KINDS.flatMap((kind) => [8, 32, 128].map((k) => of(kind, 'gcn', k) - of(kind, 'analytic', k)));
  const error = (name: string, figure: number): Bar => ({ name, figure, unit: '', bar: 0.05, must: '<=' });
  return {
    bars: [
      ...(['chain-5', 'chain-6'] as const).flatMap((kind) => [regretBar(kind, 8, 2), regretBar(kind, 32, 1)]),
      regretBar('joins', 32, 3),
      {
        name: `Kendall tau with the twin (the formula alone: ${taus('analytic').toFixed(3)})`,
        figure: taus('gcn'),
        unit: '',
        bar: 0.85,
        must: '>=',
      },
      error('expected calibration error of S(G), against what runs', sureness('gcn', 'start').error),
      error(
        'expected calibration error of S(G), against what runs, of the model that comes along',
        sureness('gcn pretrained', 'start').error,
      ),
      error('expected calibration error between two plans drawn at random', sureness('gcn', 'plans').error),
      { name: 'regret beyond the formula at equal K >= 8, worst', figure: Math.max(...leads), unit: 'points', bar: 0, must: '<=' },
      {
        name: 'DAGs with joins: tau with the graph less without it',
        figure: mean(pipelines.filter(({ kind }) => kind === 'joins').map(({ tau }) => tau['gcn']! - tau['gcn without graph']!)),
        unit: '',
        bar: 0,
        must: '>=',
      },
      {
        name: 'DAGs with joins: regret at K=8 with the graph less without it',
        figure: of('joins', 'gcn', 8) - of('joins', 'gcn without graph', 8),
        unit: 'points',
        bar: 0,
        must: '<=',
      },
      { name: 'labels and training, quick setting, CPU', figure: Number(learned.figures['cpuSeconds']), unit: 's', bar: 90, must: '<=' },
    ],
    figures: {
      table,
      training: { graph: learned.figures, withoutGraph: alone.figures, pretrained: scorers['gcn pretrained']!.model.metrics },
      belief: Object.fromEntries(Object.entries(scorers).map(([name, { model }]) => [name, beliefOf(model)])),
      tau: Object.fromEntries([...Object.keys(scorers), 'analytic'].map((ranker) => [ranker, taus(ranker)])),
      sureness: {
        sets: sets.map(({ pipelines: count, startCannotRun }, i) => ({ firstSeed: SET_SEEDS[i], pipelines: count, startCannotRun })),
        ...Object.fromEntries(
          Object.keys(scorers).map((name) => [name, { againstWhatRuns: sureness(name, 'start'), betweenPlans: sureness(name, 'plans') }]),
        ),
      },
      ...(published && { published }),
      microsecondsPerPlan: mean(pipelines.map((one) => one.microsecondsPerPlan)),
      pipelines,
    },
    notMeasured: [
      'plans measured on the real stack: labels and truth are those of the twin',
      published
        ? `published workflows beyond ${published.families.join(', ')}: the others, and both profiles of Jolteon, are learned from or calibrated on`
        : 'published workflows: AUTOFLOW_DATA is not set, or has none that is held out',
      'the noise of one training seed: both networks were trained once',
    ],
  };
}

/** How far each head is believed beyond the formula: with a trust of 0 the formula stands there. */
function beliefOf({ calibration: { belief } }: GcnModel): object {
  const [cost, p95, throughput] = belief;
  return { cost, p95, throughput };
}
