/**
 * The policy that comes with AutoFlow against the rules that people use, as the `agent` benchmark judges those that it trains: the same held-out
 * functions and minutes, the same tuning. Trains nothing.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentAllocator, bytesOf, pretrainedPolicy } from '@autoflow/learning';
import { FALLBACK, hindsightStatic, runEpisodes } from '@autoflow/optimizer';
import {
  costAtEqualViolations,
  K,
  keptIn,
  mapped,
  MORE_VIOLATIONS,
  plain,
  summaryOf,
  tunedRules,
  variedFigures,
  type Judge,
} from './agent.bench.js';
import { judgingCode } from './agent/code.js';
import { compared } from './agent/compared.js';
import { leftShare } from './agent/left.js';
import { functions, testOf, validationOf, variedOf } from './agent/scenarios.js';
import { VALIDATED } from './agent/variants.js';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const sets = await functions();
  progress(sets.about);
  const folder = fileURLToPath(new URL(`../../../node_modules/.cache/autoflow/agent/rules-${await judgingCode()}`, import.meta.url));
  await mkdir(folder, { recursive: true });
  const validation = validationOf(sets, VALIDATED);
  const test = testOf(sets, quick ? 30 : 100);
  const judge: Judge = (name, scenarios, allocatorFor) => {
    const episodes = runEpisodes(scenarios, allocatorFor);
    const summary = summaryOf(episodes);
    progress(`${name}: J ${summary.score.toFixed(3)}, cost ${summary.cost.toFixed(2)}, late ${(100 * summary.late).toFixed(2)} %`);
    return { name, ...summary, episodes };
  };
  const data = sets.about.split(' ')[0];
  const rules = await tunedRules(join(folder, `tuned-${data}-${validation.length}.json`), validation);
  const policy = pretrainedPolicy();
  const agent = judge('the policy', test, () => agentAllocator(policy, K));
  const judged = {
    ...mapped(rules, (rule) => judge(rule.name, test, () => rule)),
    fallback: judge(FALLBACK.name, test, () => FALLBACK),
    'static hindsight': await keptIn(join(folder, `rules-${data}-${test.length}.json`), judge)('static, in hindsight', test, (one) =>
      hindsightStatic(one, K),
    ),
  };
  const against = mapped(judged, (other) => compared(agent.episodes, other.episodes, K));
  const equal = costAtEqualViolations(policy, rules['hpa']!, validationOf(sets, test.length), test, judge);
  return {
    bars: [
      { name: 'J against tuned HPA', figure: against['hpa']!.percent, unit: '%', must: '<=', bar: -15 },
      { name: 'J against tuned HPA, upper end of the 95 % interval', figure: against['hpa']!.interval[1], unit: '%', must: '<=', bar: 0 },
      { name: 'cost against tuned HPA at equal violations', figure: equal.percent, unit: '%', must: '<=', bar: -25 },
      { name: 'violations there, more than HPA', figure: equal.moreViolations, unit: 'points', must: '<=', bar: 100 * MORE_VIOLATIONS },
      { name: 'J against staffing + trend', figure: against['staffing']!.percent, unit: '%', must: '<=', bar: -10 },
      { name: 'J against the best static in hindsight', figure: against['static hindsight']!.percent, unit: '%', must: '<=', bar: 15 },
    ],
    figures: {
      data: sets.about,
      k: K,
      test: { scenarios: test.length, steps: 160, intervalMs: 15_000 },
      policy: { sha256: createHash('sha256').update(bytesOf(policy.parameters)).digest('hex'), trained: policy.trained },
      agent: plain(agent),
      leftToFallbackPercent: 100 * leftShare(agentAllocator(policy, K), test),
      rules: mapped(judged, plain),
      against,
      equalViolations: equal,
      anyServiceLevelAndInterval: variedFigures(policy, rules, variedOf(sets, quick ? 20 : 60), judge),
    },
    notMeasured: ['the real stack: this is the twin alone', 'other seeds of the training, and its time: `agent` trains'],
  };
}
