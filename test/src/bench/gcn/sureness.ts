/** S(G) = P(G beats what runs): how often what is said comes true, on sets of pipelines that nothing was learned from. */
import { Evaluator, startPoint, type Evaluation, type Point } from '@autoflow/optimizer';
import { calibrationError, isBetter, leadOf, reliabilityOf, type Judged, type Scorer } from '@autoflow/learning';
import { drawn, fits, KINDS, saidOf, type Drawn } from './pipelines.js';

/** Of the plans of a pipeline, drawn at random. */
const SAMPLE = 100;

export interface SetOfPipelines {
  readonly pipelines: number;
  /** Left out: what runs does not fit its memory, so that anything is better. */
  readonly startCannotRun: number;
  readonly said: { readonly [scorer: string]: SaidPairs };
}
interface SaidPairs {
  /** Each plan against what runs. */
  readonly start: readonly Judged[];
  /** Each plan against the one that was drawn before it. */
  readonly plans: readonly Judged[];
}

/** So many pipelines of every kind, from a seed on. */
export function setOfPipelines(firstSeed: number, ofEach: number, scorers: { readonly [name: string]: Scorer }): SetOfPipelines {
  const all = KINDS.flatMap((kind) => [...drawn(kind, firstSeed, ofEach)].map((one) => pairsOf(one, scorers)));
  const able = all.filter((one) => one !== undefined);
  const gathered = (name: string, of: keyof SaidPairs): Judged[] => able.flatMap((one) => one[name]![of]);
  return {
    pipelines: able.length,
    startCannotRun: all.length - able.length,
    said: Object.fromEntries(
      Object.keys(scorers).map((name) => [name, { start: gathered(name, 'start'), plans: gathered(name, 'plans') }]),
    ),
  };
}

function pairsOf(one: Drawn, scorers: { readonly [name: string]: Scorer }): { readonly [scorer: string]: SaidPairs } | undefined {
  const { problem, space, batchings, points, random } = one;
  const evaluator = new Evaluator(problem, Math.max(...batchings.map(({ records }) => records)));
  const judged = (point: Point): { readonly point: Point; readonly evaluation: Evaluation }[] => {
    const evaluation = fits(point) ? evaluator.evaluate(space.plan(point)) : undefined;
    return evaluation === undefined ? [] : [{ point, evaluation }];
  };
  const [start] = judged(startPoint(space));
  if (start === undefined) return undefined;
  const sample = Array.from({ length: SAMPLE }, () => points[Math.floor(random() * points.length)]!).flatMap(judged);
  const plans = [start, ...sample];
  return Object.fromEntries(
    Object.entries(scorers).map(([name, scorer]): [string, SaidPairs] => {
      const said = saidOf(
        scorer,
        one,
        plans.map(({ point }) => point),
      );
      const pair = (i: number, j: number): Judged[] => {
        const [a, b] = [plans[i]!.evaluation, plans[j]!.evaluation];
        // The twin answers once for a plan: this is that very plan.
        return a === b ? [] : [{ lead: leadOf(said[i]!, said[j]!), better: isBetter(-a.score, -b.score) }];
      };
      return [name, { start: sample.flatMap((_, i) => pair(i + 1, 0)), plans: sample.slice(1).flatMap((_, i) => pair(i + 2, i + 1)) }];
    }),
  );
}

/** Of all sets together, and of each. Plans that are worth the same count half. */
export function surenessOf(sets: readonly SetOfPipelines[], name: string, { model }: Scorer, of: keyof SaidPairs) {
  const { temperature } = model.calibration;
  const each = sets.map(({ said }) => said[name]![of]);
  const all = each.flat();
  return {
    error: calibrationError(all, temperature),
    errorOfEachSet: each.map((pairs) => calibrationError(pairs, temperature)),
    pairs: all.length,
    better: all.filter(({ better }) => better === 1).length,
    worthTheSame: all.filter(({ better }) => better === 0.5).length,
    byWhatIsSaid: reliabilityOf(all, temperature),
  };
}
