import type { PipelineSpec } from '@autoflow/pipeline';
import { hashPipeline, hashTopology } from '../hash.js';
import { applyStep, conditionsOf, type Step } from '../rewrites/all.js';
import type { Condition, Limits } from '../rewrites/rewrite.js';
import type { Topology } from '../topology.js';
import type { Certificate, CertifiedStep } from './certificate.js';

/** Terminal: the steps prove nothing. `failed` are the conditions that do not hold, of the step at `index`; none: the steps lead elsewhere. */
export class CertifyError extends Error {
  override readonly name = 'CertifyError';
  readonly code = 'NOT_CERTIFIED';
  constructor(
    message: string,
    readonly index: number,
    readonly failed: readonly Condition[] = [],
  ) {
    super(message);
  }
}

/**
 * The proof that `to` gives every record the outcome that `from` gives it, where the steps are legal and lead from one to the other; else
 * throws a `CertifyError` (or the `StepError` of a step that names what is not there). `checkCertificate` trusts none of this code.
 */
export function certify(spec: PipelineSpec, from: Topology, to: Topology, steps: readonly Step[], limits: Limits = {}): Certificate {
  let topology = from;
  const certified = steps.map((step, index): CertifiedStep => {
    const conditions = conditionsOf({ spec, topology, limits }, step);
    const failed = conditions.filter(({ holds }) => !holds);
    if (failed.length > 0)
      throw new CertifyError(`step ${index}, ${step.rewrite}, is not legal: ${failed.map(said).join('; ')}`, index, failed);
    const before = hashTopology(topology);
    topology = applyStep(topology, step);
    return { step, from: before, to: hashTopology(topology), conditions };
  });
  const end = hashTopology(to);
  if (hashTopology(topology) !== end)
    throw new CertifyError(
      `the ${steps.length} steps lead to another topology than the one given; give every step, in order`,
      steps.length,
    );
  return { $autoflow: 'certificate/1', pipeline: hashPipeline(spec), from: hashTopology(from), to: end, steps: certified };
}

function said({ condition, on, facts }: Condition): string {
  return `'${condition}' does not hold for ${on.join(', ')} (${JSON.stringify(facts)})`;
}
