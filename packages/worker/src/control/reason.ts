import type { ControlTick } from '@autoflow/twin';
import type { DecidedStage, KeptDecision } from '@autoflow/store';
import type { Subject } from './subject.js';

/** Characters of a reason: what is beyond is in `observedOf`. */
const MOST = 900;

/** For the audit row, to be read: who decided and why, and of the stages that change, as far as there is room, what was seen of them. */
export function reasonOf(
  { mode, why, stages }: KeptDecision,
  { stages: order }: Pick<Subject, 'stages'>,
  tick: ControlTick | undefined,
): string {
  const who = mode === 'acting' ? 'agent' : `fallback (${why})`;
  const changes = order.flatMap(({ name }, s) => {
    const stage = stages[name]!;
    const change = changeOf(stage);
    return change === undefined ? [] : [`${name} ${change}: ${stage.reason}${seenOf(tick, s)}`];
  });
  return `${who}: ${listed(changes)}`;
}

/** For the audit row, as data: the interval that was decided on, and of every stage that changes what was seen of it. */
export function observedOf({ stages }: KeptDecision, { stages: order }: Pick<Subject, 'stages'>, tick: ControlTick | undefined): object {
  const changed = order.flatMap(({ name }, s) =>
    changeOf(stages[name]!) === undefined ? [] : [[name, { reason: stages[name]!.reason, ...tick?.stages[s] }]],
  );
  return {
    ...(tick && { at: new Date(tick.at).toISOString(), arrived: tick.arrived, late: tick.late }),
    stages: Object.fromEntries(changed),
  };
}

function listed(changes: readonly string[]): string {
  let text = '';
  for (const [i, change] of changes.entries()) {
    const longer = i === 0 ? change : `${text}; ${change}`;
    if (longer.length > MOST && i > 0) return `${text}; and ${changes.length - i} more`;
    text = longer;
  }
  return text;
}

function changeOf({ now, wanted }: DecidedStage): string | undefined {
  const parts = [
    ...(now.concurrency === wanted.concurrency ? [] : [`${now.concurrency} → ${wanted.concurrency}`]),
    ...(now.memoryMb === wanted.memoryMb ? [] : [`${now.memoryMb} → ${wanted.memoryMb} MB`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function seenOf(tick: ControlTick | undefined, s: number): string {
  const stage = tick?.stages[s];
  if (stage === undefined) return '';
  const busy = stage.provisionedMs > 0 ? Math.round((100 * stage.busyMs) / stage.provisionedMs) : 0;
  return ` (${stage.arrivals.toFixed(1)} came, ${stage.served} served, ${stage.queued.toFixed(1)} wait, ${busy} % busy)`;
}
