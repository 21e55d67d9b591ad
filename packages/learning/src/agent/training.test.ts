import { randomScenario, syntheticFunctions, type ControlScenario } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { loadBackend } from '../backend.js';
import { AVERAGED_STEPS, AveragedParameters } from './average.js';
import { Learner } from './learner.js';
import { A3C } from './settings.js';
import { train, validated } from './training.js';

const functions = syntheticFunctions(10, 1);
const scenarioOf = (seed: number): ControlScenario => randomScenario(seed, { functions, split: 'train', stages: { least: 2, most: 3 } });

describe('averaged parameters', () => {
  it('are the plain mean of the first updates', () => {
    const averaged = new AveragedParameters(2);
    for (const value of [1, 2, 6]) averaged.add(Float32Array.of(value, -value), 1);
    expect([...averaged.parameters]).toEqual([expect.closeTo(3, 5), expect.closeTo(-3, 5)]);
  });

  it('forget what lies far behind, and do not follow one update', () => {
    const averaged = new AveragedParameters(1);
    const steps = AVERAGED_STEPS / 100;
    for (let i = 0; i < 500; i++) averaged.add(Float32Array.of(100), steps);
    for (let i = 0; i < 100; i++) averaged.add(Float32Array.of(0), steps);
    expect(averaged.parameters[0]).toBeCloseTo(100 / Math.E, -1);
    for (let i = 0; i < 1_000; i++) averaged.add(Float32Array.of(i % 2 === 0 ? 1 : 3), steps);
    expect(averaged.parameters[0]).toBeCloseTo(2, 1);
  });
});

describe('a training', () => {
  it('keeps the averaged parameters of its best point, not those of the last update', async () => {
    const backend = await loadBackend('native', () => undefined);
    const settings = { ...A3C, environments: 3, steps: 120 };
    const validation = [scenarioOf(1_000)];
    const trained = train({ backend, settings, scenarioOf, validation, validationK: 20, every: 60 });

    const learner = new Learner(backend, settings, scenarioOf);
    const averaged = new AveragedParameters(learner.parameters.length);
    while (learner.steps < trained.best.steps) {
      const before = learner.steps;
      learner.update();
      averaged.add(learner.parameters, learner.steps - before);
    }
    expect(trained.parameters).toEqual(averaged.parameters);
    expect(trained.parameters).not.toEqual(learner.parameters);
    expect(trained.curve.map(({ steps }) => steps)).toEqual([60, 120]);
    expect(trained.best.score).toBe(Math.min(...trained.curve.map(({ score }) => score)));
    expect(validated(trained.parameters, { validation, validationK: 20 }).score).toBe(trained.best.score);
  });

  it('of no steps says what to give', async () => {
    const backend = await loadBackend('native', () => undefined);
    const nothing = { backend, settings: { ...A3C, steps: 0 }, scenarioOf, validation: [], validationK: 20, every: 10 };
    expect(() => train(nothing)).toThrow('There is nothing to train in 0 steps: give at least one.');
  });
});
