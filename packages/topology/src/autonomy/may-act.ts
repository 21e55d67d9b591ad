import { frozenUntil } from './freeze.js';
import { AUTONOMY, SPEND_CAP_DAYS, type Autonomy, type OperationSettings } from './settings.js';

/** What AutoFlow is about to do by itself. What people do over the API is theirs, and never asked about here. */
export type OwnAct =
  /** Registering a version for people to look at. */
  | { readonly kind: 'propose' }
  /** Shadow and canary traffic to a version. `spentUsd`: what counts towards the spend cap by now. */
  | { readonly kind: 'canary'; readonly version: string; readonly spentUsd?: number }
  /** Making it the stable version. */
  | { readonly kind: 'promote'; readonly version: string }
  /** Memory and instances of what runs. */
  | { readonly kind: 'allocate' }
  /** Taking back what AutoFlow itself has led somewhere. */
  | { readonly kind: 'roll-back' };

export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly code: 'AUTONOMY' | 'FROZEN' | 'PINNED' | 'SPEND_CAP';
      /** What was found and what to do, as a sentence. */
      readonly reason: string;
      /** Of a freeze: when it ends. */
      readonly until?: Date;
    };

const NEEDS: { readonly [kind in Exclude<OwnAct['kind'], 'roll-back'>]: Autonomy } = {
  propose: 'suggest',
  canary: 'canary',
  promote: 'auto',
  allocate: 'auto',
};

/**
 * Whether AutoFlow may do this by itself now, or the first reason why not. Going back is always allowed: no setting may hold traffic on a
 * version that a gate has refused. Proposing moves no traffic, so neither a freeze nor a pin forbids it. Pure.
 */
export function mayAct(settings: OperationSettings, now: Date, what: OwnAct): Verdict {
  if (what.kind === 'roll-back') return { allowed: true };
  return (
    tooFar(settings, what) ??
    tooDear(settings, what) ??
    (what.kind === 'propose' ? undefined : held(settings, now, what)) ?? { allowed: true }
  );
}

/** The freeze that holds now and ends last; what people do by hand meanwhile is done, and told this. */
export function freezeAt(
  { freezes }: Pick<OperationSettings, 'freezes'>,
  now: Date,
): { window: string; timeZone: string; until: Date } | undefined {
  const holding = freezes.flatMap((freeze) => {
    const until = frozenUntil(freeze, now);
    return until === undefined ? [] : [{ ...freeze, until }];
  });
  return holding.reduce<(typeof holding)[number] | undefined>(
    (last, next) => (last !== undefined && last.until >= next.until ? last : next),
    undefined,
  );
}

function tooFar({ autonomy }: OperationSettings, { kind }: Exclude<OwnAct, { kind: 'roll-back' }>): Verdict | undefined {
  const needs = NEEDS[kind];
  if (AUTONOMY.indexOf(autonomy) >= AUTONOMY.indexOf(needs)) return undefined;
  return refuse('AUTONOMY', `Autonomy is ${autonomy}; to ${kind} by itself, AutoFlow needs ${needs}.`);
}

function tooDear({ spendCapUsd }: OperationSettings, what: OwnAct): Verdict | undefined {
  const spentUsd = 'spentUsd' in what ? what.spentUsd : undefined;
  if (spendCapUsd === undefined || spentUsd === undefined || spentUsd <= spendCapUsd) return undefined;
  return refuse(
    'SPEND_CAP',
    `Canaries have cost $${spentUsd.toPrecision(3)} more than what they were compared with, in ${SPEND_CAP_DAYS} days, above the cap of $${spendCapUsd}. Raise it, or wait.`,
  );
}

function held(settings: OperationSettings, now: Date, what: OwnAct): Verdict | undefined {
  const freeze = freezeAt(settings, now);
  if (freeze !== undefined)
    return {
      ...refuse('FROZEN', `The freeze ${freeze.window} (${freeze.timeZone}) holds until ${freeze.until.toISOString()}.`),
      until: freeze.until,
    };
  const { pinned } = settings;
  if (pinned === undefined || !('version' in what) || what.version === pinned) return undefined;
  return refuse('PINNED', `The version ${pinned} is pinned; unpin it before ${what.version} may get traffic.`);
}

function refuse(code: 'AUTONOMY' | 'FROZEN' | 'PINNED' | 'SPEND_CAP', reason: string) {
  return { allowed: false, code, reason } as const;
}
