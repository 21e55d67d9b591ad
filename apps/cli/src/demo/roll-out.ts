/** The better version earns the traffic, or does not: a rollout as anybody may start it, and what it says on its way. */
import { setTimeout } from 'node:timers/promises';
import type { NewRollout, Rollout, RolloutDetail, Version } from '@autoflow/client';
import { NOT_DECIDED, ROLLOUT_DEFAULTS } from '@autoflow/topology';
import { CliError } from '../errors.js';
import { ms, percent, usd } from '../format.js';
import { whole } from './figures.js';
import type { DemoRollout } from './report.js';
import type { Load } from './run-version.js';
import { startTraffic, type Traffic } from './traffic.js';

type Settings = Required<
  Pick<NewRollout, 'steps' | 'periodMs' | 'warmupMs' | 'maximumMs' | 'minimumRecords' | 'shadowRecords' | 'metric' | 'margins'>
>;

const DEMO_DEAD = 0.03;
const DEMO_P95 = 0.5;
/** To show that no more of them die, and that p95 is not much later, takes some hundreds of either arm; a thousand where they are late in bursts. */
const ENOUGH_RECORDS = 2_400;
const SETTINGS: Settings = {
  // Half at once: of less, what is asked before more is led to it would take most of the time.
  steps: [50, 100],
  periodMs: 5_000,
  warmupMs: 5_000,
  maximumMs: 240_000,
  minimumRecords: 12,
  shadowRecords: 200,
  metric: 'cost',
  // The usual half a point of dead and tenth of p95 take more than a thousand records of either arm, and so does a p99: many minutes of what the version as written can do.
  margins: { dead: DEMO_DEAD, errors: DEMO_DEAD, p95: DEMO_P95, p99: null },
};
/** Far too short to show anything: a look at how it goes. */
const SHORT: Settings = { ...SETTINGS, steps: [50], periodMs: 1_000, warmupMs: 1_000, maximumMs: 8_000, shadowRecords: 20 };
/** The version as written gets no more than it can take: none of it may queue. */
const OF_SATURATION = 0.8;
const AT_MOST_PER_SECOND = { full: 60, short: 10 };
const POLL_MS = 500;
/** What the canary did is measured when its last batch has ended and its cost is written, off the path of the traffic: half a minute, mostly. */
const CHARGED_WITHIN_POLLS = 120;

/** Invoices in a second that arrive meanwhile. */
export function rolloutRate(saturation: number, short: boolean): number {
  return Math.max(2, Math.min(short ? AT_MOST_PER_SECOND.short : AT_MOST_PER_SECOND.full, Math.floor(OF_SATURATION * saturation)));
}

/** What the rollout is asked for at that many invoices in a second. */
export const settingsAt = (rate: number, short: boolean): Settings =>
  short ? SHORT : { ...SETTINGS, maximumMs: Math.max(SETTINGS.maximumMs, Math.ceil((1_000 * ENOUGH_RECORDS) / rate)) };

/**
 * Leads the records of a load to the version, step by step, and answers how that ended. Traffic flows from before the first step until after the last.
 * Not promoted is an answer; throws where the rollout could not be carried out.
 */
export async function rollOut(candidate: Version, written: Version, load: Load, rate: number, short: boolean): Promise<DemoRollout> {
  const { client, pipeline, out } = load;
  const settings = settingsAt(rate, short);
  explain(settings, rate, out);
  const traffic = await startTraffic(written, load, rate);
  let begun: Rollout | undefined;
  try {
    begun = await client.rollouts.start(pipeline, { version: candidate.name, ...settings, reason: 'demo' });
    const ended = await untilCharged(await untilEnded(begun, load), load);
    await traffic.stop();
    tell(ended, traffic, load);
    return reportOf(ended, traffic);
  } finally {
    await traffic.stop();
    if (begun !== undefined) await giveUp(begun, load);
  }
}

function explain({ periodMs, maximumMs, minimumRecords, shadowRecords }: Settings, rate: number, out: Load['out']): void {
  const usual = ROLLOUT_DEFAULTS;
  out.fact(
    `Invoices arrive by the clock, ${rate} in a second: ${percent(OF_SATURATION)} of what the version as written was seen to do, at most.`,
  );
  out.fact(
    `As long as a demo: evaluated every ${ms(periodMs)} (usual: ${ms(usual.periodMs)}), ${minimumRecords} records at each step (${usual.minimumRecords}), ${shadowRecords} in shadow (${usual.shadowRecords}), given up after ${ms(maximumMs)} (a day).`,
  );
  out.fact(
    `A demo has few records: ${percent(DEMO_DEAD)} more dead or repeated would be let pass (usual: ${percent(usual.margins.dead)}), and a p95 that is ${percent(DEMO_P95)} higher (usual: ${percent(usual.margins.p95!)}); nothing is asked of p99.`,
  );
  out.fact(
    `As always: that the gain is above zero and every guardrail holds is shown, at ${percent(usual.alpha)} for all errors of the statistics together.`,
  );
}

async function untilEnded({ id }: Rollout, { client, pipeline, out, signal }: Load): Promise<RolloutDetail> {
  for (let told = 0; ; await setTimeout(POLL_MS, undefined, { signal })) {
    const row = await client.rollouts.show(pipeline, id);
    const news = newsOf(row);
    news.slice(told).forEach((line) => out.fact(line));
    told = news.length;
    if (row.endedAt !== undefined) return row;
    out.progress(row.steps.length === 0 ? row.state : (row.evaluations[0]?.reason ?? 'warming up'));
  }
}

/** What has happened so far, in order: what is told stays so. */
export function newsOf({ shadow, steps, settings, evaluations }: RolloutDetail): string[] {
  const { holdoutPercent } = settings;
  return [
    ...(shadow === undefined
      ? []
      : [
          `Shadow: ${whole(shadow.compared - shadow.different)} of ${whole(shadow.compared)} recorded invoices came out the same; nothing was written.`,
        ]),
    ...steps.flatMap(({ percent: share }, at) => {
      const judged = evaluations.filter((one) => one.percent === share);
      const beside =
        share <= 50 ? 'beside a control group of its size' : `a slice of it beside the holdout, each of ${holdoutPercent} % of all`;
      return [
        `Canary: ${share} % of the traffic, ${beside}.`,
        ...(at === steps.length - 1 ? [] : [`  after ${judged.length} evaluations: ${judged[0]?.reason ?? 'no harm is shown'}.`]),
      ];
    }),
  ];
}

async function untilCharged(ended: RolloutDetail, { client, pipeline, signal }: Load): Promise<RolloutDetail> {
  let row = ended;
  for (let polls = 0; row.steps.length > 0 && row.harm === undefined && polls < CHARGED_WITHIN_POLLS; polls++) {
    await setTimeout(POLL_MS, undefined, { signal });
    row = await client.rollouts.show(pipeline, row.id);
  }
  return row;
}

function tell(row: RolloutDetail, traffic: Traffic, { out }: Load): void {
  const { state, outcome, version, harm, evaluations, judgement } = row;
  const { gain, guardrails = [] } = judgement?.paired ?? {};
  if (gain) out.fact(`Gain in cost, at every look at once: ${percent(gain.estimate)} [${bound(gain.low)}, ${bound(gain.high)}].`);
  if (guardrails.length > 0) out.fact(`Guardrails: ${guardrails.map((one) => `${one.name} ${one.state}`).join(', ')}.`);
  if (harm)
    out.fact(
      `Of ${whole(traffic.sent().accepted)} invoices the canary ran ${whole(harm.records)}, for ${usd(harm.costUsd)}; ${whole(harm.dead)} died.`,
    );
  const looks = `${evaluations.length} ${evaluations.length === 1 ? 'evaluation' : 'evaluations'}`;
  if (state === 'promoted') out.good(`${version} is promoted after ${looks}: ${outcome}.`);
  else if (isAnswer(row))
    out.fact(`${version} is not promoted, after ${looks}: ${outcome}. That is an answer: its traffic was taken back.`);
  else out.bad(`The rollout could not be carried out (${state}): ${outcome}. Please report it, with the JSON report (--json FILE).`);
}

/** Promoted, taken back on what was measured, or measured and not decided; outputs that differ are no answer. */
export function isAnswer({ state, outcome = '', shadow }: Pick<Rollout, 'state' | 'outcome' | 'shadow'>): boolean {
  const isUndecided = state === 'aborted' && outcome.startsWith(NOT_DECIDED);
  return (state === 'promoted' || state === 'rolled-back' || isUndecided) && (shadow?.different ?? 0) === 0;
}

function reportOf(
  { id, state, outcome, settings, shadow, steps, judgement, harm, evaluations }: RolloutDetail,
  traffic: Traffic,
): DemoRollout {
  return {
    id,
    state,
    carriedOut: isAnswer({ state, ...(outcome !== undefined && { outcome }), ...(shadow && { shadow }) }),
    outcome: outcome ?? state,
    settings,
    evaluations: evaluations.length,
    steps,
    traffic: { ratePerSecond: traffic.ratePerSecond, ...traffic.sent() },
    ...(shadow && { shadow }),
    ...(judgement && { judgement }),
    ...(harm && { harm }),
  };
}

/** No canary is left behind in a database that stays. */
async function giveUp({ id }: Rollout, { client, pipeline }: Load): Promise<void> {
  const row = await client.rollouts.show(pipeline, id);
  if (row.endedAt === undefined) await client.rollouts.abort(pipeline, id, 'the demo has ended');
}

/** What the demo moves belongs to whoever has a rollout under way. */
export async function mustBeFree({ client, pipeline }: Load): Promise<void> {
  const [newest] = (await client.rollouts.list(pipeline, { limit: 1 })).items;
  if (newest !== undefined && newest.endedAt === undefined)
    throw new CliError(
      'ROLLOUT_ACTIVE',
      `${newest.id} of ${pipeline} is under way in this database. Let it end, or give the demo another database.`,
    );
}

const bound = (value: number | null): string => (value === null ? '?' : percent(value));
