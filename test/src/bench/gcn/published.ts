/** The order of plans of pipelines that are cut out of published workflows, of families that nothing was learned from. */
import { Evaluator, PlanSpace, randomPoint } from '@autoflow/optimizer';
import { publishedProblem, readPublished, splitOf, type Scorer } from '@autoflow/learning';
import { kendallTau, uniform } from '@autoflow/twin';
import { fits, saidOf } from './pipelines.js';
import { mean } from '../statistics.js';

const PLANS = 80;

export interface PublishedFigures {
  readonly families: readonly string[];
  readonly pipelines: number;
  readonly functions: { readonly least: number; readonly most: number };
  /** Kendall's, in the mean over the pipelines. */
  readonly tau: { readonly [ranker: string]: number };
}

/** So many pipelines of each of the families in the folder that are held out; undefined where none is. */
export async function publishedFigures(
  folder: string,
  firstSeed: number,
  ofEach: number,
  scorers: { readonly [name: string]: Scorer },
): Promise<PublishedFigures | undefined> {
  const heldOut = (await readPublished(folder)).filter(({ family }) => splitOf(family) === 'test');
  if (heldOut.length === 0) return undefined;
  const pipelines = heldOut.flatMap((workflow) =>
    Array.from({ length: ofEach }, (_, i) => {
      const { problem, shape } = publishedProblem(workflow, firstSeed + i);
      return { functions: shape.length, tau: tauOf({ problem, space: new PlanSpace(problem) }, firstSeed + i, scorers) };
    }),
  );
  const sizes = pipelines.map(({ functions }) => functions);
  return {
    families: heldOut.map(({ family }) => family),
    pipelines: pipelines.length,
    functions: { least: Math.min(...sizes), most: Math.max(...sizes) },
    tau: Object.fromEntries(
      ['analytic', ...Object.keys(scorers)].map((ranker) => [ranker, mean(pipelines.map(({ tau }) => tau[ranker]!))]),
    ),
  };
}

function tauOf(
  one: Parameters<typeof saidOf>[1],
  seed: number,
  scorers: { readonly [name: string]: Scorer },
): { readonly [ranker: string]: number } {
  const { problem, space } = one;
  const random = uniform(seed);
  const evaluator = new Evaluator(problem, Math.max(...space.batchings.map(({ records }) => records)));
  const judged = Array.from({ length: PLANS }, () => randomPoint(space, random)).flatMap((point) => {
    const score = fits(point) ? evaluator.evaluate(space.plan(point))?.score : undefined;
    return score === undefined ? [] : [{ point, score }];
  });
  const scores = judged.map(({ score }) => score);
  const points = judged.map(({ point }) => point);
  const formula = points.map(({ candidate, memoryMb }) => candidate.formula.score(memoryMb));
  const said = Object.entries(scorers).map(([name, scorer]): [string, number[]] => [
    name,
    saidOf(scorer, one, points).map(({ mean: utility }) => -utility),
  ]);
  return Object.fromEntries([['analytic', formula] as const, ...said].map(([name, order]) => [name, kendallTau(order, scores)]));
}
