/** Every pipeline whose control is not switched off has a workflow that controls it: one that has none gets one. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { ALLOCATION_QUEUE, type AllocationInput } from '@autoflow/topology';
import { ALLOCATION_WORKFLOW, allocationWorkflowId } from '@autoflow/workflows';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';

const EVERY_MS = 5_000;

interface Ports {
  readonly store: Pick<Store, 'control'>;
  readonly client: Client;
  readonly log: Log;
}

/** Any number of processes may do it. */
export function startAllocationControl(ports: Ports): { close(): Promise<void> } {
  return repeating('starting the control of allocations', EVERY_MS, () => startUnattended(ports), ports.log);
}

async function startUnattended({ store, client }: Ports): Promise<void> {
  for (const pipeline of await store.control.unattended()) {
    const args: [AllocationInput] = [{ pipeline }];
    try {
      await client.workflow.start(ALLOCATION_WORKFLOW, { taskQueue: ALLOCATION_QUEUE, workflowId: allocationWorkflowId(pipeline), args });
    } catch (error) {
      // It is about to take its first step.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}
