import type { ControlTick } from '@autoflow/twin';
import type { DecidedStage, KeptDecision } from '@autoflow/store';
import type { Subject } from './subject.js';

/** What an audit row holds of it. */
const MOST = 900;

/** For the audit row: who decided and why, and for each stage that changes what was seen of it. */
export function reasonOf({ mode, why, stages }: KeptDecision, { stages: order }: Subject, tick: ControlTick | undefined): string {
  const changes = order.flatMap(({ name }, s) => {
    const stage = stages[name]!;
    const change = changeOf(stage);
    return change === undefined ? [] : [`${name} ${change}: ${stage.reason}${seenOf(tick, s)}`];
  });
  const who = mode === 'acting' ? 'agent' : `fallback (${why})`;
  const text = `${who}: ${changes.join('; ')}`;
  return text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text;
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
