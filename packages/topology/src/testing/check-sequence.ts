import type { BatchSize } from '@autoflow/pipeline/testing';
import { certify } from '../certificate/certify.js';
import { checkCertificate } from '../certificate/check/check-certificate.js';
import { validateTopology } from '../legality.js';
import type { Problem } from '../topology.js';
import type { Executable } from './executable-pipeline.js';
import { rewriteAtRandom, type Choices, type Rewritten } from './random-rewrites.js';
import { differences, runOutcomes, type Ended } from './run-outcomes.js';

export interface SequenceReport extends Rewritten {
  /** What the legality of topologies and the checker of certificates object to. */
  readonly problems: readonly Problem[];
  /** Records that end otherwise than as written, in any of the runs. */
  readonly differences: readonly string[];
  readonly states: Ended['states'];
  /** A stage of the last topology drops a field that a function wrote. */
  readonly dropsWritten: boolean;
  /** In the last run an answer that was remembered served several records. */
  readonly servesSeveral: boolean;
}

/**
 * Rewrites a pipeline at random, certifies it, has the certificate checked as it comes back from JSON, and runs both topologies in this process
 * at every batch size, stages beside each other in both orders. Nothing must be found.
 */
export async function checkSequence(
  executable: Executable,
  choices: Choices,
  { records = 8, batchSizes = [3] }: { readonly records?: number; readonly batchSizes?: readonly BatchSize[] } = {},
): Promise<SequenceReport> {
  const { spec } = executable;
  const rewritten = rewriteAtRandom(spec, choices);
  const { from, to, steps } = rewritten;
  const certificate: unknown = JSON.parse(JSON.stringify(certify(spec, from, to, steps)));
  const problems = [...validateTopology(spec, to), ...checkCertificate(spec, from, to, certificate)];

  const written = await runOutcomes(executable, from, records, 1);
  const found: string[] = [];
  for (const [i, size] of batchSizes.entries()) {
    const stages = i % 2 === 0 ? to.stages : to.stages.toReversed();
    found.push(...differences(written, await runOutcomes(executable, { ...to, stages }, records, size)));
  }
  const { states } = written;
  return {
    ...rewritten,
    problems,
    differences: found,
    states,
    dropsWritten: to.stages.some(({ drops }) => drops?.fields.some((field) => !spec.input.includes(field))),
    servesSeveral: servesSeveral(executable, states.completed),
  };
}

/** The code of a function of the record ran for fewer records than it has answered. */
function servesSeveral({ spec, outside: { world } }: Executable, completed: number): boolean {
  return spec.nodes.some(({ id, kind, scope }) => kind === 'function' && scope.length === 0 && (world.runs.get(id) ?? 0) < completed);
}
