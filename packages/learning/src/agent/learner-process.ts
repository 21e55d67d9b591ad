/**
 * A learner in a process of its own, so that training never blocks the worker that asked for it. Told parameters, it answers how it would
 * change them; everything that outlives it, its parent keeps.
 */
import type { FunctionCounts } from '@autoflow/twin';
import { loadBackend } from '../backend.js';
import { answerParent, tellParent } from '../parent.js';
import { ACTION_COUNT } from './actions.js';
import { DutyCycle } from './duty-cycle.js';
import { Learner, type LearnerState } from './learner.js';
import { learnersData, learnersScenarios, validationOf, type LearnersData } from './learners-scenarios.js';
import { freshParameters, PARAMETERS } from './network.js';
import { OBSERVED } from './observation.js';
import { A3C, PPO, type AgentSettings } from './settings.js';
import { validated } from './training.js';

export type LearnerRequest =
  | {
      readonly kind: 'begin';
      readonly settings: Partial<AgentSettings>;
      readonly learner: number;
      readonly functions?: readonly FunctionCounts[];
      readonly state?: Uint8Array;
      readonly beside?: number;
    }
  | { readonly kind: 'learn'; readonly weights: Float32Array; readonly steps: number; readonly updates: number }
  | { readonly kind: 'validate'; readonly weights: Float32Array };

export type LearnerAnswer =
  | { readonly kind: 'begun'; readonly fresh: Float32Array; readonly network: typeof NETWORK; readonly data: LearnersData }
  | { readonly kind: 'learned'; readonly delta: Float32Array; readonly steps: number; readonly state: Uint8Array }
  | { readonly kind: 'validated'; readonly score: number; readonly cost: number; readonly late: number }
  | { readonly kind: 'progress' }
  | { readonly kind: 'failed'; readonly message: string };

/** What parameters belong to: those of another network mean something else, or nothing. */
const NETWORK = { observed: OBSERVED, actions: ACTION_COUNT, parameters: PARAMETERS } as const;

const VALIDATION_K = 20;
/** Learners play different episodes of the same kind. */
const SEEDS_APART = 1_000;

type Handler = (request: LearnerRequest) => LearnerAnswer;

async function begin(request: Extract<LearnerRequest, { kind: 'begin' }>): Promise<{ handle: Handler; answer: LearnerAnswer }> {
  const backend = await loadBackend('native', () => undefined);
  const scenarioOf = learnersScenarios(request.functions);
  const usual = request.settings.algorithm === 'ppo' ? PPO : A3C;
  const shared: AgentSettings = { ...usual, ...request.settings };
  const settings = { ...shared, seed: shared.seed + SEEDS_APART * request.learner };
  // All begin with the same parameters, whatever their own seed.
  const fresh = freshParameters(shared.seed);
  const left = request.state && decoded(request.state);
  let cycle: DutyCycle | undefined;
  // From the first piece of training on: what it takes to begin is no piece, and is not rested after.
  const rest = (): void => (cycle ??= new DutyCycle(request.beside)).rest();
  const learner = new Learner(backend, settings, scenarioOf, left && { ...left, parameters: fresh }, rest);
  const validation = validationOf(scenarioOf);
  const handle: Handler = (next) => {
    if (next.kind !== 'begin' && next.weights.length !== PARAMETERS)
      throw new Error(`These are ${next.weights.length} parameters; this network has ${PARAMETERS}.`);
    if (next.kind === 'validate')
      return { kind: 'validated', ...validated(next.weights, { validation, validationK: VALIDATION_K, rest, judged: goesOn }) };
    if (next.kind === 'begin') throw new Error('The learner has begun already.');
    learner.parameters.set(next.weights);
    // How far all are, together: it sets the entropy.
    learner.steps = next.steps;
    for (let i = 0; i < next.updates; i++) {
      learner.update();
      goesOn();
    }
    const delta = learner.parameters.map((value, i) => value - next.weights[i]!);
    return { kind: 'learned', delta, steps: learner.steps - next.steps, state: encoded(learner.state) };
  };
  return { handle, answer: { kind: 'begun', fresh, network: NETWORK, data: learnersData(request.functions) } };
}

/** Its parent takes one that says nothing for one that hangs. */
const goesOn = (): void => tellParent({ kind: 'progress' } satisfies LearnerAnswer);

/** The optimizer's memory and the place in the episodes; the parameters are shared, and kept elsewhere. */
function encoded({ adam, episodes }: LearnerState): Uint8Array {
  const head = Buffer.from(JSON.stringify({ updates: adam.updates, episodes, parameters: adam.mean.length }).padEnd(128));
  return Buffer.concat([head, Buffer.from(adam.mean.buffer), Buffer.from(adam.square.buffer)]);
}

/** Undefined: it is of another network, or there is a number in it that is none, with which every further one would be none. */
function decoded(state: Uint8Array): LearnerState | undefined {
  const head = JSON.parse(Buffer.from(state.subarray(0, 128)).toString()) as { updates: number; episodes: number; parameters: number };
  const bytes = Uint8Array.from(state.subarray(128)).buffer;
  const floats = new Float32Array(bytes);
  if (head.parameters !== PARAMETERS || !floats.every(Number.isFinite)) return undefined;
  const mean = floats.slice(0, head.parameters);
  const square = floats.slice(head.parameters);
  return { parameters: mean, adam: { mean, square, updates: head.updates }, steps: 0, episodes: head.episodes };
}

let running: Handler | undefined;

async function answerTo(request: LearnerRequest): Promise<LearnerAnswer> {
  if (request.kind === 'begin') {
    const { handle, answer } = await begin(request);
    running = handle;
    return answer;
  }
  if (running === undefined) throw new Error('The learner was not told how to begin.');
  return running(request);
}

answerParent((request: LearnerRequest) => answerTo(request).catch(failureOf));

function failureOf(error: unknown): LearnerAnswer {
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
}
