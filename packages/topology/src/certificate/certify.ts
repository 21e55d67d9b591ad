import type { PipelineSpec } from '@autoflow/pipeline';
import { hashPipeline, hashTopology } from '../hash.js';
import { validateTopology } from '../legality.js';
import { applyStep, conditionsOf, type Step } from '../rewrites/all.js';
import type { Condition, Limits } from '../rewrites/rewrite.js';
import type { Problem, Topology } from '../topology.js';
import type { Certificate, CertifiedStep } from './certificate.js';

/**
 * Terminal: the steps prove nothing. Of the step at `index`, `failed` are the conditions that do not hold, and `problems` say why the topology
 * that it leads to is not legal; neither: the steps lead elsewhere.
 */
export class CertifyError extends Error {
  override readonly name = 'CertifyError';
  readonly code = 'NOT_CERTIFIED';
  constructor(
    message: string,
    readonly index: number,
    readonly failed: readonly Condition[] = [],
    readonly problems: readonly Problem[] = [],
  ) {
    super(message);
  }
}

/**
 * The proof that `to` gives every record the outcome that `from`, a legal topology, gives it, where the steps are legal and lead from one to the
 * other; else throws a `CertifyError` (or the `StepError` of a step that names what is not there). A step is legal when all its conditions hold
 * and the topology that it leads to is legal: the conditions speak of steps that the graph has room for (`places`), but any step may be given.
 * `checkCertificate` trusts none of this code.
 */
export function certify(spec: PipelineSpec, from: Topology, to: Topology, steps: readonly Step[], limits: Limits = {}): Certificate {
  let topology = from;
  const certified = steps.map((step, index): CertifiedStep => {
    const conditions = conditionsOf({ spec, topology, limits }, step);
    const failed = conditions.filter(({ holds }) => !holds);
    if (failed.length > 0) throw new CertifyError(notLegal(step, index, failed.map(said)), index, failed);
    const before = hashTopology(topology);
    topology = applyStep(topology, step);
    const problems = validateTopology(spec, topology);
    if (problems.length > 0) throw new CertifyError(notLegal(step, index, problems.map(explained)), index, [], problems);
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

function notLegal({ rewrite }: Step, index: number, why: readonly string[]): string {
  return `step ${index}, ${rewrite}, is not legal: ${why.join('; ')}`;
}

function explained({ code, message }: Problem): string {
  return `${code}: ${message}`;
}

function said({ condition, on, facts }: Condition): string {
  return `'${condition}' does not hold for ${on.join(', ')} (${JSON.stringify(facts)})`;
}
