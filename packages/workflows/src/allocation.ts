/** The workflow that controls the allocation of one pipeline, decision by decision, until control is switched off. */
import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import type { AllocationInput, ControlActivities } from '@autoflow/topology/control';

const STEPS_PER_RUN = 500;

/** A step that fails is tried again: the interval that is lost meanwhile is noticed as a gap. */
const { controlStep } = proxyActivities<ControlActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '15s' },
});

export async function Allocation(input: AllocationInput): Promise<void> {
  const { pipeline, stepsPerRun = STEPS_PER_RUN } = input;
  const { firstExecutionRunId: holder } = workflowInfo();
  for (let steps = 1; ; steps++) {
    const { waitMs } = await controlStep({ pipeline, holder });
    if (waitMs === undefined) return;
    await sleep(waitMs);
    if (steps >= stepsPerRun || workflowInfo().continueAsNewSuggested) await continueAsNew<typeof Allocation>(input);
  }
}
