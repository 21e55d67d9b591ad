import { envelopeOf, limitsOf } from '@autoflow/optimizer';
import type { Actor } from '@autoflow/store';
import {
  hashTopology,
  hashVersion,
  validateAllocation,
  validateEnvelope,
  validateTopology,
  type Allocation,
  type Topology,
} from '@autoflow/topology';
import { checkCertificate, type Certificate } from '@autoflow/topology/rewrites';
import type { AllocationDocument } from './allocate.js';
import type { Gathered } from './gather.js';
import { found, goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';
import { problemOf, type ProposalDocument } from './propose.js';
import { reallocate, startWith } from './reallocate.js';
import { whyForbidden } from './scheduled.js';

/**
 * Registers what was proposed, under the rules of the API: nothing that is not legal, with parent, author and reason. It moves no traffic. What changes
 * the allocation alone makes no version.
 */
export async function registerProposal(ports: OptimizingPorts, job: Job): Promise<Outcome> {
  const { store } = ports;
  const { id, pipeline, request } = job.row;
  if (request.dryRun) return { decision: stop('DRY_RUN', 'It was asked for a proposal only; nothing was registered.') };
  const forbidden = await whyForbidden(ports, job.row);
  if (forbidden !== undefined) return { decision: stop('NOT_ALLOWED', forbidden) };
  const { release, ratePerSecond } = await found<Gathered>(ports, job, 'gather');
  const { stable } = (await store.definitions.pipeline(pipeline))!;
  if (request.version === undefined && stable.release !== release)
    return { decision: stop('RELEASE_CHANGED', 'A new release became stable meanwhile: what was measured is not what runs.') };
  const { proposal } = await found<ProposalDocument>(ports, job, 'propose');
  const { allocation, by, predicted = proposal!.predicted } = await found<AllocationDocument>(ports, job, 'allocate');
  const problem = await problemOf(ports, job);
  const topology = proposal!.topology as Topology;
  const envelope = envelopeOf(problem, topology);
  const problems = [
    ...illegal(problem, topology, allocation),
    ...checkCertificate(problem.spec, problem.start.topology, topology, proposal!.certificate as Certificate, limitsOf(problem)),
  ];
  if (problems.length > 0)
    return {
      decision: stop(
        'ILLEGAL',
        `The proposal is not legal, which must not happen: ${problems.map((one) => JSON.stringify(one)).join('; ')}`,
      ),
    };
  const { certificate, gain, proposer } = proposal!;
  const author = actorOf(id, `optimization ${id}: proposed by ${proposer}, allocation by ${by}`);
  if (hashTopology(topology) === hashTopology(problem.start.topology)) return reallocate(ports, job, allocation, author);
  const { version, created } = await store.definitions.registerVersion({
    pipeline,
    hash: hashVersion({ release, topology, envelope }),
    release,
    topology,
    envelope,
    allocation,
    parent: job.row.version!,
    note: `optimizer (${proposer})`,
    proposal: { optimization: id, proposer, ratePerSecond, predicted, ...(gain && { gain }), certificate },
    by: author,
  });
  if (!created) return startWith(ports, pipeline, version.name, allocation, author);
  return { set: { registered: version.name }, decision: goOn(`Registered as ${version.name}.`) };
}

export const actorOf = (id: string, reason: string): Actor => ({ actor: `optimizer/${id}`, reason });

function illegal(problem: Awaited<ReturnType<typeof problemOf>>, topology: Topology, allocation: Allocation): readonly object[] {
  const envelope = envelopeOf(problem, topology);
  return [
    ...validateTopology(problem.spec, topology),
    ...validateEnvelope(problem.spec, topology, envelope),
    ...validateAllocation(problem.spec, topology, envelope, allocation),
  ];
}
