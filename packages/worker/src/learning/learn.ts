import { isDeepStrictEqual } from 'node:util';
import type { PulledParameters, Store } from '@autoflow/store';
import type { LearnEnd, LearnRequest } from '@autoflow/topology';
import { startLearner, type LearnerChild } from './learner-child.js';

export interface LearnPorts {
  readonly store: Pick<Store, 'trainings'>;
  /** The learner's program, and the functions whose load it learns from (default: made-up ones). */
  readonly program: string;
  readonly functions?: () => Promise<readonly object[]>;
  /** Of a core, from 1/1000 to 1: what the process uses while others use the machine; default: a thirty-second. */
  readonly beside?: number;
  /** Its process hangs when it says nothing for so long; default: two minutes. */
  readonly silentMs?: number;
}

const UPDATES = 12;
/** Exchanges between two checkpoints: what is lost with a learner is its optimizer's memory of so many. */
const CHECKPOINT_EVERY = 8;

/**
 * One learner: pulls parameters, lets its process update them, pushes the change, until the training has what it was given. All that
 * outlives it is in the store, so any host can go on with it. `beat` is called whenever its process says anything, with what came of the latest
 * exchange: how many there were, how many changes were refused, and how much of the time went into the store instead of learning.
 */
export async function learn(
  request: LearnRequest,
  ports: LearnPorts,
  signal: AbortSignal,
  beat: (details: object) => void,
): Promise<LearnEnd> {
  let told: object = {};
  const child = startLearner(ports.program, () => beat(told), ports.silentMs);
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    await begin(request, ports, child);
    return await exchange(request, ports, child, signal, (details) => beat((told = details)));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await child.kill();
  }
}

async function begin(
  { training, learner, settings, algorithm, seed, budget }: LearnRequest,
  { store, functions, beside }: LearnPorts,
  child: LearnerChild,
): Promise<void> {
  const state = await store.trainings.resume(training, learner);
  const own = { ...settings, ...(algorithm && { algorithm }), ...(seed !== undefined && { seed }), steps: budget.steps };
  const { fresh, network, data } = await child.ask<'begin'>({
    kind: 'begin',
    settings: own,
    learner,
    ...(functions && { functions: await functions() }),
    ...(state && { state }),
    ...(beside !== undefined && { beside }),
  });
  await store.trainings.create({ id: training, settings: { ...own, data, network }, weights: fresh });
  const row = await store.trainings.get(training);
  const of = (row?.settings as { readonly network?: object } | undefined)?.network;
  if (of !== undefined && !isDeepStrictEqual(of, network)) throw otherNetwork(of, network);
}

/** Who goes on with it has to run the code that began it: perhaps another host does. */
function otherNetwork(found: object, own: object): Error {
  const message = `the training is of another network (${JSON.stringify(found)}) than this worker's (${JSON.stringify(own)}); run learners of the version that began it, or begin it anew`;
  return Object.assign(new Error(message), { code: 'OTHER_NETWORK' });
}

async function exchange(
  request: LearnRequest,
  { store: { trainings } }: LearnPorts,
  child: LearnerChild,
  signal: AbortSignal,
  beat: (details: object) => void,
): Promise<LearnEnd> {
  const { training, learner, budget, updates = UPDATES } = request;
  const [began, asked] = [performance.now(), child.askedMs];
  let refused = 0;
  let known = await trainings.pull(training);
  for (let exchanges = 1; ; exchanges++) {
    signal.throwIfAborted();
    const row = await trainings.get(training);
    if (row?.endedAt !== undefined) return 'ended';
    known = newer(known, await trainings.pull(training));
    const seconds = row?.seconds ?? 0;
    const isOver = known.steps >= budget.steps || seconds >= (budget.seconds ?? Number.POSITIVE_INFINITY);
    const validated = learner === 0 ? await validateWhenDue(request, known, { seconds, isOver }, trainings, child) : undefined;
    if (validated === 'no-progress') {
      // At once: the others look for an end with every exchange.
      await trainings.end(training, 'stopped-early');
      return 'no-progress';
    }
    if (isOver) return 'budget';
    // The others have gone on meanwhile: what is learned from what was judged would count for little.
    if (validated !== undefined) known = newer(known, await trainings.pull(training));
    const learned = await child.ask<'learn'>({ kind: 'learn', weights: known.weights, steps: known.steps, updates });
    const pushed = await trainings.push({ training, learner, base: known.version, delta: learned.delta, steps: learned.steps });
    if (!pushed.applied && pushed.reason === 'other-network')
      throw otherNetwork({ parameters: known.weights.length }, { parameters: learned.delta.length });
    if (!pushed.applied && pushed.reason === 'not-finite') throw notFinite(learner, known.version);
    if (pushed.applied && exchanges % CHECKPOINT_EVERY === 0) await trainings.checkpoint(training, learner, Buffer.from(learned.state));
    if (!pushed.applied) refused++;
    const ms = performance.now() - began;
    beat({ learner, exchanges, refused, ms, storeMs: ms - (child.askedMs - asked), ...pushed });
  }
}

/** Parameters only go on: an older row than one that was seen is no row to learn from. */
function newer(known: PulledParameters, pulled: PulledParameters): PulledParameters {
  return pulled.version >= known.version ? pulled : known;
}

/** Its optimizer's memory is lost: whoever goes on does so from the latest checkpoint, which was made while numbers were numbers. */
function notFinite(learner: number, version: number): Error {
  const message = `learner ${learner} came to numbers that are not finite, from version ${version}; if it does so again, give a smaller learning rate`;
  return Object.assign(new Error(message), { code: 'NOT_FINITE' });
}

/** At every multiple of `validateEvery`, and at the end, whether steps or time have run out. Undefined: it is not due. */
async function validateWhenDue(
  { training, budget, validateEvery = Math.ceil(budget.steps / 10), patience = Number.POSITIVE_INFINITY }: LearnRequest,
  { version, steps, weights }: { readonly version: number; readonly steps: number; readonly weights: Float32Array },
  { seconds, isOver }: { readonly seconds: number; readonly isOver: boolean },
  trainings: Store['trainings'],
  child: LearnerChild,
): Promise<'no-progress' | 'goes-on' | undefined> {
  const curve = await trainings.curve(training);
  const last = curve.at(-1)?.steps ?? 0;
  const due = Math.floor(steps / validateEvery) > Math.floor(last / validateEvery) || (isOver && last < steps);
  if (!due) return undefined;
  const { score, cost, late } = await child.ask<'validate'>({ kind: 'validate', weights });
  await trainings.addPoint(training, { steps, seconds, version, score, cost, late }, weights);
  const scores = [...curve.map((point) => point.score), score];
  const best = scores.indexOf(Math.min(...scores));
  return scores.length - 1 - best >= patience ? 'no-progress' : 'goes-on';
}
