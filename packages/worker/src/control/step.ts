import { playedOf, raisedWithinLimits, REMEMBERED, withinLimits, type Decision } from '@autoflow/optimizer';
import type { ControlMode, ControlStatus, ControlStepRow, KeptDecision, KeptTick, Store } from '@autoflow/store';
import {
  clampAllocation,
  type Allocation,
  type ControlStepAnswer,
  type ControlStepRequest,
  type Envelope,
  type StageEnvelope,
} from '@autoflow/topology';
import type { StageTarget } from '@autoflow/twin';
import { DEFAULT_CONTROL, mayAct, type OperationSettings } from '@autoflow/topology/autonomy';
import type { Log } from '../log.js';
import type { Controller } from './controller.js';
import { observe, type Seen } from './observe.js';
import { observedOf, reasonOf } from './reason.js';
import { standingFor, UNPROVEN, withComparison } from './standing.js';
import { subjectOf, type Subject } from './subject.js';

export interface ControlPorts {
  readonly store: Pick<Store, 'control' | 'settings' | 'definitions'>;
  readonly controller: Controller;
  readonly log: Log;
}

const INTERVAL_MS = 15_000;
const LATE_COST = 20;
/** Steps of silence after which another controller takes over. */
const HELD_STEPS = 3;
const HELD_MS = 30_000;
/** Intervals that must be known before the agent is listened to. */
const FEW = 4;
/** Intervals that are looked back on. */
const LOOKED_BACK = 160;
/** Intervals of a comparison, and between two of them: none is counted by two. */
const COMPARED = 40;

/**
 * One decision of a pipeline's controller: observe → decide → bound → set, if it may. All that it remembers is in the store, so any worker can
 * take the next step; a step that is repeated finds its interval decided, and waits.
 */
export async function controlStep({ pipeline, holder }: ControlStepRequest, ports: ControlPorts): Promise<ControlStepAnswer> {
  const { store } = ports;
  const settings = await store.settings.get(pipeline);
  if (!isOn(settings)) return release(pipeline, holder, store);
  const intervalMs = settings.control?.intervalMs ?? INTERVAL_MS;
  const forMs = HELD_STEPS * intervalMs + HELD_MS;
  const claimed = await store.control.claim({ pipeline, holder, forMs });
  if (claimed === undefined) return { waitMs: intervalMs };
  const subject = await subjectOf(pipeline, settings, intervalMs, store);
  if (subject === undefined) return {};

  const steps = await remembered(subject, store);
  const seen = await observe(subject, steps, claimed, store);
  const before = statusOf(claimed.state, subject);
  const { waits = 0 } = before;
  if (seen.kind === 'wait') {
    await store.control.keep({ pipeline, holder, forMs, state: { ...before, waits: waits + 1 } });
    return { waitMs: seen.ms };
  }
  const asked = await ask(subject, ticksOf(steps, seen), settings, ports);
  // Whoever took longer than it may has nothing to set any more: what it saw is the other's by now.
  if ((await store.control.claim({ pipeline, holder, forMs })) === undefined) return { waitMs: intervalMs };
  // Deciding may take long: what people have forbidden meanwhile is not done.
  const latest = await store.settings.get(pipeline);
  if (!isOn(latest)) return release(pipeline, holder, store);
  const decided = decide(subject, ticksOf(steps, seen), seen, asked, before, forbiddenBy(latest));
  const set = decided.wanted && (await allocate(subject, decided, ports));
  const status = await compared(
    { ...decided.standing, mode: decided.mode, why: decided.why, version: subject.version.name, waits: seen.kind === 'stale' ? waits : 0 },
    subject,
    steps,
    seen,
    settings,
    ports,
  );
  const step = seen.kind === 'tick' && {
    at: seen.at,
    version: subject.version.name,
    tick: seen.kept,
    decided: { mode: decided.mode, why: decided.why, stages: decided.stages, ...set },
  };
  const kept = await store.control.keep({ pipeline, holder, forMs, state: status, ...(step && { step }) });
  if (!kept) ports.log('warn', 'another controller took over in the middle of a step; its decision was not kept', { pipeline, holder });
  return { waitMs: intervalMs };
}

function isOn(settings: OperationSettings | undefined): settings is OperationSettings {
  return settings !== undefined && (settings.control ?? DEFAULT_CONTROL).mode !== 'off';
}

async function release(pipeline: string, holder: string, { control }: ControlPorts['store']): Promise<ControlStepAnswer> {
  await control.release(pipeline, holder, { ...UNPROVEN, mode: 'off', why: 'control is switched off' });
  return {};
}

/** Of this version, since the last gap, and since intervals are meant to be as long as they are: loads of others are no loads of these. */
async function remembered(
  { version, pipeline: { intervalMs } }: Subject,
  { control }: ControlPorts['store'],
): Promise<readonly ControlStepRow[]> {
  const steps = await control.steps(version.pipeline, version.name, LOOKED_BACK);
  return steps.slice(
    Math.max(
      0,
      steps.findLastIndex(({ tick }) => tick.anew),
      1 + steps.findLastIndex(({ tick }) => tick.intervalMs !== intervalMs),
    ),
  );
}

/** What was proven of another version says nothing of this one. */
function statusOf(state: ControlStatus | undefined, { version }: Subject): ControlStatus {
  return state?.version === version.name ? state : { ...UNPROVEN, mode: 'shadow', why: '', version: version.name };
}

interface Decided extends Pick<KeptDecision, 'mode' | 'why' | 'stages'> {
  /** What is to be set: undefined when nothing may be. */
  readonly wanted?: Allocation;
  readonly reason: string;
  readonly observed: object;
  readonly standing: ControlStatus;
}

type Asked = Awaited<ReturnType<Controller['decide']>> & { readonly objective: readonly (number | undefined)[] };

async function ask(
  { pipeline, services }: Subject,
  ticks: readonly KeptTick['tick'][],
  settings: OperationSettings,
  { controller }: ControlPorts,
): Promise<Asked> {
  const lateCost = settings.control?.lateCost ?? LATE_COST;
  const answer = await controller.decide({ pipeline, services, ticks: ticks.slice(-REMEMBERED) }, lateCost);
  return { ...answer, objective: [lateCost, settings.objective?.p99Ms, pipeline.intervalMs] };
}

function decide(
  subject: Subject,
  ticks: readonly KeptTick['tick'][],
  seen: Exclude<Seen, { kind: 'wait' }>,
  { agent, without, policy, fallback, objective }: Asked,
  before: ControlStatus,
  forbidden: string | undefined,
): Decided {
  const standing = standingFor(before, policy, objective);
  const left =
    seen.kind === 'stale'
      ? seen.why
      : ticks.length < FEW
        ? `only ${ticks.length} intervals are known yet`
        : (without ?? agent?.leftTo ?? (standing.agentStands ? undefined : unproven(ticks)));
  const mode: ControlMode = forbidden !== undefined ? 'shadow' : left !== undefined ? 'fallback' : 'acting';
  const chosen = mode === 'fallback' || agent === undefined ? fallback : agent;
  const wanted = within(subject, chosen, seen.kind === 'stale');
  const standby = within(subject, fallback, false);
  const stages = Object.fromEntries(
    subject.stages.map(({ name }, s) => [
      name,
      {
        now: subject.allocation.stages[name]!,
        wanted: wanted[name]!,
        fallback: standby[name]!,
        reason: chosen.reasons[s] ?? 'nothing is known yet',
      },
    ]),
  );
  const why = forbidden ?? left ?? 'the agent has beaten the fallback';
  const told = [{ mode, why, stages }, subject, ticks.at(-1)] as const;
  return { mode, why, stages, reason: reasonOf(...told), observed: observedOf(...told), standing, ...(mode !== 'shadow' && { wanted }) };
}

function unproven(ticks: readonly KeptTick['tick'][]): string {
  const latest = ofComparison(ticks);
  return latest.length > COMPARED && playedOf(latest) < COMPARED
    ? `agent and fallback are not compared: more is invoked in ${COMPARED} intervals than the twin plays; give a shorter interval, or larger batches`
    : 'the agent has not beaten the fallback yet, in the twin, on these arrivals';
}

function forbiddenBy(settings: OperationSettings): string | undefined {
  if (settings.control?.mode !== 'auto') return 'control is set to shadow: it decides and sets nothing';
  const verdict = mayAct(settings, new Date(), { kind: 'allocate' });
  return verdict.allowed ? undefined : verdict.reason;
}

function ticksOf(steps: readonly ControlStepRow[], seen: Exclude<Seen, { kind: 'wait' }>): KeptTick['tick'][] {
  const known = steps.map(({ tick }) => tick.tick);
  if (seen.kind === 'stale') return known;
  return seen.kept.anew ? [seen.kept.tick] : [...known, seen.kept.tick];
}

/** Bounded by envelope, clamps, resources and the instances of all stages. On what is stale nothing is taken away that the bounds allow. */
function within({ spec, version, bounds, allocation, stages, pipeline }: Subject, { targets }: Decision, keep: boolean): Allocation {
  const now = stages.map(({ name }) => allocation.stages[name]!);
  const clamped = (bounded: readonly StageTarget[], envelope: Envelope): Allocation =>
    clampAllocation(spec, version.topology, envelope, Object.fromEntries(stages.map(({ name }, s) => [name, bounded[s]!])));
  if (!keep) {
    const wanted = now.map((stage, s) => targets[s] ?? stage);
    return clamped(withinLimits(pipeline, wanted), bounds);
  }
  // Where a resource is too small for all that is asked, it is the raises that are cut.
  const kept = clamped(withinLimits(pipeline, now), bounds);
  const floors = stages.map(({ name }): [string, StageEnvelope] => {
    const { memoryMb, concurrency } = bounds[name]!;
    return [name, { memoryMb, concurrency: { ...concurrency, min: kept[name]!.concurrency } }];
  });
  return clamped(raisedWithinLimits(pipeline, now, targets), Object.fromEntries(floors));
}

/** Compare-and-set: whoever changed the allocation meanwhile is not overruled, and is seen in the next interval. */
async function allocate(
  { version: { pipeline, name }, allocation: { stages, revision } }: Subject,
  { wanted, reason, observed, mode }: Decided,
  { store, log }: ControlPorts,
): Promise<Pick<KeptDecision, 'revision' | 'refused'>> {
  const same = Object.entries(wanted!).every(
    ([stage, { memoryMb, concurrency }]) => stages[stage]?.memoryMb === memoryMb && stages[stage].concurrency === concurrency,
  );
  if (same) return {};
  const by = { actor: mode === 'acting' ? 'autoflow/agent' : 'autoflow/fallback', reason };
  try {
    return {
      revision: (await store.definitions.setAllocation({ pipeline, version: name, stages: wanted!, observed, revision, by })).revision,
    };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== 'STALE_REVISION' && code !== 'OUTSIDE_CLAMP') throw error;
    log('info', 'an allocation was not set; it is decided anew', { pipeline, version: name, why: message });
    return { refused: message };
  }
}

/** The first of them shows what comes, and is not judged. */
const ofComparison = (ticks: readonly KeptTick['tick'][]): readonly KeptTick['tick'][] => ticks.slice(-COMPARED - 1);

/** Every so many intervals agent and fallback are tried in the twin on what came in them; never on fewer. */
async function compared(
  status: ControlStatus,
  { pipeline, services }: Subject,
  steps: readonly ControlStepRow[],
  seen: Exclude<Seen, { kind: 'wait' }>,
  settings: OperationSettings,
  { controller, log }: ControlPorts,
): Promise<ControlStatus> {
  if (seen.kind === 'stale') return status;
  const ticks = ofComparison(ticksOf(steps, seen));
  const intervals = playedOf(ticks);
  const due = { ...status, sinceComparison: status.sinceComparison + 1 };
  if (due.sinceComparison < COMPARED || intervals < COMPARED || ticks.every(({ arrived }) => arrived === 0)) return due;
  try {
    const found = await controller.compare({ pipeline, services, ticks }, settings.control?.lateCost ?? LATE_COST);
    return found === undefined ? due : withComparison(due, { at: seen.at.toISOString(), intervals, ...found });
  } catch (error) {
    log('warn', `agent and fallback could not be compared; it is tried again in ${COMPARED} intervals`, { error: String(error) });
    return { ...due, sinceComparison: 0 };
  }
}
