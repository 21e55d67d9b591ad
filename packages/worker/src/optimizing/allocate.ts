import type { Plan } from '@autoflow/optimizer';
import type { Allocation } from '@autoflow/topology';
import { leftOf, stepMs, usedUp } from './budget.js';
import { askWithin, found, goOn, type Job, type OptimizingPorts, type Outcome } from './job.js';
import { figuresOf, problemOf, type Figures, type ProposalDocument } from './propose.js';

/** The allocation that the proposed version starts with, and who else was asked. */
export interface AllocationDocument {
  readonly allocation: Allocation;
  readonly by: string;
  readonly predicted?: Figures;
  readonly standing: readonly object[];
}

/** The staffing formula against the resource agent: the policy that comes with AutoFlow, and the one that was trained for this. */
export async function allocate(ports: OptimizingPorts, job: Job, training: string | undefined): Promise<Outcome> {
  const { proposal } = await found<ProposalDocument>(ports, job, 'propose');
  const problem = await problemOf(ports, job);
  const trained = training === undefined ? undefined : await ports.store.trainings.best(training);
  const plan = { topology: proposal!.topology, allocation: proposal!.allocation, steps: [] } as unknown as Plan;
  const request = { kind: 'allocate' as const, problem, plan, ...(trained && { policy: trained.weights }) };
  const left = leftOf(job.row);
  const answer = left?.cpuMs === 0 ? undefined : await askWithin<'allocate'>(ports, job, request, stepMs(left));
  if (answer === undefined) {
    const document: AllocationDocument = { allocation: proposal!.allocation as Allocation, by: 'formula', standing: [] };
    return { document, decision: goOn(`Starting allocation by formula, without another's: ${usedUp(left, 'before they had settled')}.`) };
  }
  const { allocation, by, predicted, standing } = answer.starting;
  const document: AllocationDocument = {
    allocation,
    by,
    ...(predicted && { predicted: figuresOf(predicted) }),
    standing: standing.map(({ evaluation, ...one }) => ({ ...one, ...(evaluation && { figures: evaluation.figures }) })),
  };
  const others = standing.filter(({ allocator }) => allocator !== by).map(({ allocator }) => allocator);
  const idle = instancesOf(standing.find(({ allocator }) => allocator === by)!.allocation) - instancesOf(allocation);
  const less = idle === 0 ? '' : `, less ${idle} instance${idle === 1 ? '' : 's'} that would stand idle`;
  return { document, decision: goOn(`Starting allocation by ${by}, which the twin finds no worse than by ${others.join(' or ')}${less}.`) };
}

const instancesOf = (allocation: Allocation): number => Object.values(allocation).reduce((sum, { concurrency }) => sum + concurrency, 0);
