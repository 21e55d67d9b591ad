import { hashTopology, type Topology } from '@autoflow/topology';
import type { Step } from '@autoflow/topology/rewrites';
import type { Formula } from './formula.js';

/** A legal topology, and how it was reached: its steps are what certifies it. */
export interface Candidate {
  readonly topology: Topology;
  readonly steps: readonly Step[];
  /** `hashTopology`. */
  readonly hash: string;
  /** Made when first asked for, once. */
  readonly formula: Formula;
}

export function candidateOf(topology: Topology, steps: readonly Step[], formulaOf: (topology: Topology) => Formula): Candidate {
  let formula: Formula | undefined;
  return {
    topology,
    steps,
    hash: hashTopology(topology),
    get formula() {
      return (formula ??= formulaOf(topology));
    },
  };
}
