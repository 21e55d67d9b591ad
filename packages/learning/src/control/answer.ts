import {
  compareOn,
  decideOn,
  FALLBACK,
  followingMemory,
  steady,
  type Allocator,
  type ControllerAnswer,
  type ControllerRequest,
} from '@autoflow/optimizer';
import { agentAllocator } from '../agent/agent-allocator.js';
import type { Policy } from '../agent/policy.js';

/** Who decides: the agent of a late record's cost, or why there is none; and the rule that stands by. */
export interface Contestants {
  readonly agentFor: ((lateCost: number) => Allocator) | { readonly without: string };
  readonly fallback: Allocator;
}

/** As every live decision is made: with hysteresis, and memory as it is used. */
const live = (allocator: Allocator): Allocator => followingMemory(steady(allocator));

export function contestants(policy: Policy | { readonly without: string }, fallback = FALLBACK): Contestants {
  return { fallback, agentFor: 'without' in policy ? policy : (lateCost) => agentAllocator(policy, lateCost, fallback) };
}

/** Depends on nothing but what it is given. */
export function answerTo(request: ControllerRequest, { agentFor, fallback }: Contestants): ControllerAnswer {
  const { id, observed, lateCost } = request;
  const agent = typeof agentFor === 'function' ? live(agentFor(lateCost)) : undefined;
  switch (request.kind) {
    case 'decide':
      return {
        kind: 'decided',
        id,
        ...(agent ? { agent: decideOn(observed, agent) } : { without: (agentFor as { without: string }).without }),
        fallback: decideOn(observed, live(fallback)),
      };
    case 'compare': {
      // Memory follows what is measured, which the twin does not know.
      const candidates = [fallback, ...(typeof agentFor === 'function' ? [agentFor(lateCost)] : [])].map(steady);
      const [rule, own] = compareOn(observed, candidates, lateCost);
      return { kind: 'compared', id, fallback: rule!, ...(own && { agent: own }) };
    }
  }
}
