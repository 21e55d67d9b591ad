import { FALLBACK, hpa, runEpisode, scoreAt } from '@autoflow/optimizer';
import {
  ControlEnvironment,
  ControlState,
  randomScenario,
  syntheticFunctions,
  type ControlScenario,
  type ControlTick,
} from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { agentAllocator } from './agent-allocator.js';
import { freshParameters } from './network.js';
import { OBSERVED } from './observation.js';
import { parsePolicy, pretrainedPolicy, writePolicy, type Policy } from './policy.js';
import { trainedPolicy } from './trained-policy.js';

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
    // Its functions take minutes.
    const { serviceMs } = scenario(1);
    const environment = new ControlEnvironment({ ...scenario(1), serviceMs: serviceMs.map((ms) => 1_000 * ms) });
    const controller = agentAllocator(pretrainedPolicy(), 20).start(environment.scenario.pipeline);
    const fallback = FALLBACK.start(environment.scenario.pipeline);
    expect(controller.decide(environment.state)).toEqual(fallback.decide(environment.state));
    expect(controller.explain(0)).toMatch(
      /^fallback \(observation \d+ \([a-z ]+\) of stage 0 is unlike any of the training: not within -?[\d.]+ to [\d.]+\)/,
    );
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

describe('a policy that learners have trained', () => {
  const anew = trainedPolicy(freshParameters(1), {});

  it.each(
    [500, 1_000, 2_000, 5_000, 10_000, 60_000].flatMap((sloMs) =>
      [1_000, 5_000, 15_000, 30_000, 60_000].map((intervalMs) => [sloMs, intervalMs]),
    ),
  )('decides by itself at a service level of %d ms, every %d ms', (sloMs, intervalMs) => {
    // Functions as fast as such a service level takes for granted.
    const { pipeline, serviceMs } = scenario(1);
    const services = serviceMs.map((ms) => Math.min(ms, intervalMs / 4, sloMs / (4 * serviceMs.length)));
    const state = new ControlState({ ...pipeline, sloMs, intervalMs }, services);
    const controller = agentAllocator(anew, 20).start(state.pipeline);
    for (let i = 0; i < 30; i++) {
      state.observe(tickOf(i, state));
      controller.decide(state);
      expect(controller.leftTo?.()).toBeUndefined();
    }
  });
});

/** An interval of two to four busy instances a stage, of four to six, with now and then something that waits. */
function tickOf(i: number, { pipeline, serviceMs }: ControlState): ControlTick {
  const { intervalMs } = pipeline;
  const busy = 2 + (i % 3);
  const stages = pipeline.stages.map((_, s) => ({
    arrivals: (busy * intervalMs) / serviceMs[s]!,
    served: (busy * intervalMs) / serviceMs[s]!,
    serviceMs: busy * intervalMs,
    busyMs: busy * intervalMs,
    provisionedMs: (busy + 2) * intervalMs,
    queued: i % 3,
    starting: 0,
    concurrency: busy + 2,
    memoryMb: 512,
  }));
  return { at: i * intervalMs, arrived: (busy * intervalMs) / 500, late: 0, stages };
}
