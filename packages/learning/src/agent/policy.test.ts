import { FALLBACK, hpa, runEpisode, scoreAt } from '@autoflow/optimizer';
import { ControlEnvironment, randomScenario, syntheticFunctions, type ControlScenario } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { agentAllocator } from './agent-allocator.js';
import { freshParameters } from './network.js';
import { OBSERVED } from './observation.js';
import { parsePolicy, pretrainedPolicy, writePolicy, type Policy } from './policy.js';

const functions = syntheticFunctions(30, 5);
const scenario = (seed: number): ControlScenario => randomScenario(seed, { functions, split: 'test', stages: { least: 4, most: 7 } });

const everything = { least: new Array<number>(OBSERVED).fill(-1e6), most: new Array<number>(OBSERVED).fill(1e6) };
const policy: Policy = { parameters: freshParameters(1), range: everything, trained: { steps: 0 } };

describe('a policy as a file', () => {
  it('is read as it was written', () => {
    expect(parsePolicy(writePolicy(policy))).toEqual(policy);
  });

  it.each([
    ['no JSON', () => 'weights', 'NOT_A_POLICY'],
    ['something else', () => '{"format":"other"}', 'NOT_A_POLICY'],
    ['of a later format', (text: string) => text.replace('"version": 1', '"version": 2'), 'NEWER_FORMAT'],
    ['of another network', (text: string) => text.replace('"observed": 42', '"observed": 41'), 'OTHER_NETWORK'],
    ['with a changed weight', (text: string) => text.replace(/"weights": "..../, '"weights": "AAAA'), 'CORRUPTED'],
    ['cut off in its weights', (text: string) => text.replace(/.{40}"\n}\n$/, '"\n}\n'), 'CORRUPTED'],
    ['without a range', (text: string) => text.replace('"least"', '"lowest"'), 'CORRUPTED'],
  ])('is refused when it is %s', (_, damage, code) => {
    expect(() => parsePolicy(damage(writePolicy(policy)))).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('whose numbers are not finite is refused', () => {
    const parameters = freshParameters(1).fill(Number.NaN, 7, 8);
    expect(() => parsePolicy(writePolicy({ ...policy, parameters }))).toThrow(expect.objectContaining({ code: 'CORRUPTED' }) as Error);
  });
});

describe('the policy that comes with AutoFlow', () => {
  it('beats the autoscaler under loads of a kind that it was not trained on', () => {
    const scenarios = [1, 2, 3, 4, 5, 6].map(scenario);
    const total = (allocator: typeof FALLBACK): number => scenarios.reduce((sum, one) => sum + scoreAt(20, runEpisode(one, allocator)), 0);
    expect(total(agentAllocator(pretrainedPolicy(), 20))).toBeLessThan(total(hpa({ target: 0.5, stabilisationMs: 300_000 })));
  });

  it('leaves the decision to the fallback, and says so, where an observation is unlike any of its training', () => {
    const { pipeline } = scenario(1);
    const environment = new ControlEnvironment({ ...scenario(1), pipeline: { ...pipeline, coldStartMs: 3_600_000 } });
    const controller = agentAllocator(pretrainedPolicy(), 20).start(environment.scenario.pipeline);
    const fallback = FALLBACK.start(environment.scenario.pipeline);
    expect(controller.decide(environment.state)).toEqual(fallback.decide(environment.state));
    expect(controller.explain(0)).toMatch(/^fallback \(observation 10 of stage 0/);
  });

  it('never leaves the bounds of a stage', () => {
    const bounded = scenario(2);
    const pipeline = {
      ...bounded.pipeline,
      stages: bounded.pipeline.stages.map((stage) => ({ ...stage, concurrency: { min: 1, max: 3 } })),
    };
    const environment = new ControlEnvironment({ ...bounded, pipeline });
    const controller = agentAllocator({ parameters: pretrainedPolicy().parameters }, 150).start(pipeline);
    for (let i = 0; i < 40; i++) {
      const targets = controller.decide(environment.state);
      for (const { concurrency } of targets) expect([1, 2, 3]).toContain(concurrency);
      environment.step(targets);
    }
  });
});
