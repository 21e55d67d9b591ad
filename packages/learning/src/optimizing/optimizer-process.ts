/**
 * Fit, search and the learned parts in a process of its own, so that no worker is blocked by a minute of computing. It keeps nothing: everything that
 * it needs is in what it is asked.
 */
import {
  fitPipeline,
  propose,
  PROPOSERS,
  startingAllocation,
  type Allocator,
  type Computed,
  type OptimizerProtocol,
  type Proposer,
  type ScoredTopology,
  type SearchProgress,
} from '@autoflow/optimizer';
import { PlanError } from '@autoflow/twin';
import { loadBackend } from '../backend.js';
import { agentAllocator } from '../agent/agent-allocator.js';
import { pretrainedPolicy } from '../agent/policy.js';
import { trainedPolicy } from '../agent/trained-policy.js';
import { ModelError, parseModel, PRETRAINED, readModel, type GcnModel } from '../gcn/model-file.js';
import { gcnProposer } from '../gcn/proposer.js';
import { historyOf } from '../gcn/retraining/history.js';
import { retrain } from '../gcn/retraining/retrain.js';
import type { ScoredPlan } from '../gcn/ranking.js';
import { answerParent, tellParent } from '../parent.js';

type Request = OptimizerProtocol[keyof OptimizerProtocol]['request'];
type Answer = OptimizerProtocol[keyof OptimizerProtocol]['answer'];

/** What a late record is worth to the agent, in records' worth of memory: the middle of what it was trained on. */
const LATE_COST = 20;

async function answerTo(request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'fit':
      return { fitted: fitPipeline(request.measured) };
    case 'propose':
      return proposeFor(request);
    case 'retrain':
      return retrainOn(request);
    case 'allocate':
      return allocateFor(request);
  }
}

async function proposeFor({ problem, budget, proposers: names, scorer, finished }: OptimizerProtocol['propose']['request']) {
  let scored: readonly ScoredPlan[] = [];
  const proposers: Proposer[] = PROPOSERS.filter(({ name }) => names.includes(name));
  if (names.includes('gcn')) {
    const own = scorer === undefined ? undefined : scorerOf(scorer);
    const gcn = await gcnProposer({ log: () => undefined, ...(own && { model: own.model }) });
    // The last: no process that takes this one's place is told of what it has scored.
    proposers.push({
      name: gcn.name,
      propose: async (search) => {
        const proposal = await gcn.propose(search);
        scored = proposal.scored;
        const note = [own?.note, proposal.note].filter((text) => text !== undefined).join('; ');
        return { ...proposal, ...(note !== '' && { note }) };
      },
    });
  }
  const proposed = await propose(problem, {
    // What it took to load is of the budget too.
    budget: { ...budget, ...(budget.cpuMs !== undefined && { cpuMs: Math.max(0, budget.cpuMs - computedMs()) }) },
    cpu: computedMs,
    proposers,
    ...(finished && { finished }),
    progress: (progress) => tellParent({ kind: 'progress', ...progress } satisfies SearchProgress),
  });
  return { proposed, scored: scored.filter(({ why }) => why.length > 0).map(shown) };
}

/** One that cannot be used here any more (another version of AutoFlow wrote it) leaves the one that comes along, and says so. */
function scorerOf(file: string): { readonly model: GcnModel | URL; readonly note?: string } {
  try {
    return { model: parseModel(file) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { model: PRETRAINED, note: `ranked by the scorer that comes with AutoFlow, not by the pipeline's own: ${error.message}` };
  }
}

async function retrainOn({ measured, stretches, seed, scorer, learnedFrom }: OptimizerProtocol['retrain']['request']) {
  const history = historyOf(measured, stretches);
  if ('refused' in history) return { retrained: history };
  const used = scorer === undefined ? PRETRAINED : scorerOf(scorer).model;
  const base = used instanceof URL ? await readModel(used) : used;
  const backend = await loadBackend('native', () => undefined);
  return { retrained: retrain(history, backend, { seed, base, ...(learnedFrom && { learnedFrom }) }) };
}

function shown({ plan: { topology, allocation }, probability, predicted, why }: ScoredPlan): ScoredTopology {
  return { topology, allocation, probability, predicted, why };
}

async function allocateFor({ problem, plan, policy }: OptimizerProtocol['allocate']['request']) {
  const agents: Allocator[] = [agentAllocator(pretrainedPolicy(), LATE_COST)];
  if (policy !== undefined) agents.push({ ...agentAllocator(trainedPolicy(policy, {}), LATE_COST), name: 'trained' });
  return { starting: startingAllocation(problem, plan, agents) };
}

/** A plan that the twin cannot run is an answer: asking again would not change it. */
function failureOf(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', message, ...(error instanceof PlanError && { code: 'PLAN_IMPOSSIBLE' }) };
}

function computedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

answerParent(async (request: Request) => {
  const answer = await answerTo(request).catch(failureOf);
  return { ...answer, cpuMs: computedMs() } satisfies Computed;
});
