import type { Condition } from '../rewrites/rewrite.js';
import type { Step } from '../rewrites/all.js';

/** Why one topology may take the place of another: every step between them, with every side condition and what discharged it. Plain JSON. */
export interface Certificate {
  readonly $autoflow: 'certificate/1';
  /** `hashPipeline` of the wiring that the conditions speak about. */
  readonly pipeline: string;
  /** `hashTopology` of the two ends; each step begins where the one before it ended. */
  readonly from: string;
  readonly to: string;
  readonly steps: readonly CertifiedStep[];
}

export interface CertifiedStep {
  readonly step: Step;
  readonly from: string;
  readonly to: string;
  readonly conditions: readonly Condition[];
}
