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
import { policyHash, type Policy } from '../agent/policy.js';

/** Who decides: the agent of a late record's cost, or why there is none; and the rule that stands by. */
export interface Contestants {
  readonly agentFor: ((lateCost: number) => Allocator) | { readonly without: string };
  readonly fallback: Allocator;
  readonly policy?: string;
}

/** As every live decision is made: with hysteresis, and memory as it is used. */
const live = (allocator: Allocator): Allocator => followingMemory(steady(allocator));

export function contestants(policy: Policy | { readonly without: string }, fallback = FALLBACK): Contestants {
  if ('without' in policy) return { fallback, agentFor: policy };
  return { fallback, agentFor: (lateCost) => agentAllocator(policy, lateCost, fallback), policy: policyHash(policy) };
}

/** Depends on nothing but what it is given. */
export function answerTo(request: ControllerRequest, { agentFor, fallback, policy }: Contestants): ControllerAnswer {
  const { id, observed, lateCost } = request;
  const agent = typeof agentFor === 'function' ? live(agentFor(lateCost)) : undefined;
  switch (request.kind) {
    case 'decide':
      return {
        kind: 'decided',
        id,
        ...(agent ? { agent: decideOn(observed, agent) } : { without: (agentFor as { without: string }).without }),
        ...(policy !== undefined && { policy }),
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
