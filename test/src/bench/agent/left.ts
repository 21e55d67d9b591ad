import type { Allocator } from '@autoflow/optimizer';
import { ControlEnvironment, type ControlScenario } from '@autoflow/twin';

/** Share of its decisions that an allocator leaves to another rule. */
export function leftShare(allocator: Allocator, scenarios: readonly ControlScenario[]): number {
  let [left, decided] = [0, 0];
  for (const scenario of scenarios) {
    const environment = new ControlEnvironment(scenario);
    const controller = allocator.start(scenario.pipeline);
    for (; !environment.done; decided++) {
      environment.step(controller.decide(environment.state));
      if (controller.leftTo?.() !== undefined) left++;
    }
  }
  return left / decided;
}
