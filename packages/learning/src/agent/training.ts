import { type Allocator, runEpisode, scoreAt } from '@autoflow/optimizer';
import type { ControlScenario } from '@autoflow/twin';
import type { TensorBackend } from '../backend.js';
import { agentAllocator } from './agent-allocator.js';
import { AveragedParameters } from './average.js';
import { Learner } from './learner.js';
import type { ScenarioSource } from './rollouts.js';
import type { AgentSettings } from './settings.js';

export interface TrainingOptions {
  readonly backend: TensorBackend;
  readonly settings: AgentSettings;
  readonly scenarioOf: ScenarioSource;
  /** What checkpoints are selected on, at this k; never what the policy is judged on. */
  readonly validation: readonly ControlScenario[];
  readonly validationK: number;
  /** Decisions between two validations. */
  readonly every: number;
  readonly progress?: (point: CurvePoint) => void;
}

export interface CurvePoint {
  readonly steps: number;
  readonly cpuSeconds: number;
  readonly score: number;
  readonly cost: number;
  readonly late: number;
}

export interface Trained {
  /** Averaged, of the best of the curve: the last is often not. */
  readonly parameters: Float32Array;
  readonly best: CurvePoint;
  readonly curve: readonly CurvePoint[];
}

/** Trains one policy to the end of its steps. */
export function train(options: TrainingOptions): Trained {
  const { backend, settings, scenarioOf, every, progress } = options;
  const learner = new Learner(backend, settings, scenarioOf);
  const averaged = new AveragedParameters(learner.parameters.length);
  const curve: CurvePoint[] = [];
  let best: { readonly point: CurvePoint; readonly parameters: Float32Array } | undefined;
  const began = process.cpuUsage();
  for (let next = learner.steps + every; learner.steps < settings.steps;) {
    const before = learner.steps;
    learner.update();
    averaged.add(learner.parameters, learner.steps - before);
    if (learner.steps < next && learner.steps < settings.steps) continue;
    next += every;
    const { user, system } = process.cpuUsage(began);
    const point = { steps: learner.steps, cpuSeconds: (user + system) / 1e6, ...validated(averaged.parameters, options) };
    curve.push(point);
    progress?.(point);
    if (best === undefined || point.score < best.point.score) best = { point, parameters: Float32Array.from(averaged.parameters) };
  }
  if (best === undefined) throw new RangeError(`There is nothing to train in ${settings.steps} steps: give at least one.`);
  return { parameters: best.parameters, best: best.point, curve };
}

/** `rest` is called after each decision, `judged` after each episode. */
export function validated(
  parameters: Float32Array,
  {
    validation,
    validationK,
    rest,
    judged,
  }: Pick<TrainingOptions, 'validation' | 'validationK'> & { readonly rest?: () => void; readonly judged?: () => void },
): Pick<CurvePoint, 'score' | 'cost' | 'late'> {
  const episodes = validation.map((scenario) => {
    const episode = runEpisode(scenario, resting(agentAllocator({ parameters }, validationK), rest));
    judged?.();
    return episode;
  });
  const mean = (of: (episode: (typeof episodes)[number]) => number): number =>
    episodes.reduce((sum, episode) => sum + of(episode), 0) / episodes.length;
  return { score: mean((episode) => scoreAt(validationK, episode)), cost: mean(({ cost }) => cost), late: mean(({ late }) => late) };
}

function resting(allocator: Allocator, rest: () => void = () => undefined): Allocator {
  const start: Allocator['start'] = (pipeline) => {
    const controller = allocator.start(pipeline);
    return {
      ...controller,
      decide: (state) => {
        rest();
        return controller.decide(state);
      },
    };
  };
  return { ...allocator, start };
}
