import type { ControlState } from '@autoflow/twin';

/** Reserves in square roots of the need. */
const BETAS = [0, 0.5, 1, 1.5, 2.2, 3.2, 4.5] as const;
/** The rest: what recently was the most, with a margin; and no change. */
export const ACTIONS = [
  ...BETAS.map((beta) => `need + ${beta}·√need`),
  '20-interval peak ·1.15',
  'hold',
  '20-interval peak ·1.6',
  '60-interval peak ·1.2',
  '60-interval peak ·1.8',
];
export const ACTION_COUNT = 12;
const CHEAPEST = 0;

/** Instances that an action asks for; each is a rule that a person could have chosen, so that the worst policy is still a sane one. */
export function instancesOf(action: number, s: number, state: ControlState): number {
  const need = state.need(s);
  if (action < BETAS.length) return Math.ceil(need + BETAS[action]! * Math.sqrt(need));
  switch (action) {
    case 7:
      return Math.ceil(Math.max(need * 1.1, state.shortPeak[s]! * 1.15));
    case 8:
      return state.concurrency[s]!;
    case 9:
      return Math.ceil(Math.max(need * 1.3, state.shortPeak[s]! * 1.6));
    case 10:
      return Math.ceil(Math.max(need * 1.3, state.longPeak[s]! * 1.2));
    default:
      return Math.ceil(Math.max(need * 1.5, state.longPeak[s]! * 1.8));
  }
}

/** Whether an action is open to a stage, by action: 1 or 0. Those beyond its most are closed; the cheapest never is, and is bounded. */
export function openActions(s: number, state: ControlState, into: Uint8Array, offset: number): void {
  const { max } = state.pipeline.stages[s]!.concurrency;
  for (let action = 0; action < ACTION_COUNT; action++)
    into[offset + action] = action === CHEAPEST || instancesOf(action, s, state) <= max ? 1 : 0;
}
