/** A Temporal Schedule for every pipeline whose settings ask for one: the settings are what is wanted, this makes it so. */
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleSpec } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { CONTROL_QUEUE, type OptimizationInput } from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationScheduleId, optimizationWorkflowId } from '@autoflow/workflows';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';

const EVERY_MS = 60_000;

export interface SchedulePorts {
  readonly store: Pick<Store, 'definitions' | 'settings' | 'listen'>;
  readonly client: Client;
  readonly log: Log;
}

/** Reconciles at once, when settings change, and every minute: a Temporal that was away meanwhile is caught up with. */
export async function startSchedules(ports: SchedulePorts): Promise<{ close(): Promise<void> }> {
  const known = new Map<string, string | undefined>();
  const all = repeating('scheduling optimizations', EVERY_MS, () => reconcile(ports, known), ports.log);
  const deaf = await ports.store.listen('autoflow_settings', all.now);
  return {
    close: async () => {
      await deaf();
      await all.close();
    },
  };
}

async function reconcile({ store, client }: SchedulePorts, known: Map<string, string | undefined>): Promise<void> {
  for (const { name } of await store.definitions.pipelines()) {
    const every = (await store.settings.get(name))?.optimizeEvery;
    if (known.has(name) && known.get(name) === every) continue;
    await (every === undefined ? withoutSchedule(client, name) : withSchedule(client, name, every));
    known.set(name, every);
  }
}

async function withSchedule(client: Client, pipeline: string, every: string): Promise<void> {
  const scheduleId = optimizationScheduleId(pipeline);
  const spec: ScheduleSpec = { intervals: [{ every: every as `${number}m` }] };
  try {
    await client.schedule.create({
      scheduleId,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      action: {
        type: 'startWorkflow',
        workflowType: OPTIMIZATION_WORKFLOW,
        // Temporal adds the time to it.
        workflowId: optimizationWorkflowId(pipeline),
        taskQueue: CONTROL_QUEUE,
        args: [{ optimization: '', pipeline, request: { dryRun: false }, by: 'schedule' }] satisfies [OptimizationInput],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((schedule) => ({ ...schedule, spec }));
  }
}

async function withoutSchedule(client: Client, pipeline: string): Promise<void> {
  try {
    await client.schedule.getHandle(optimizationScheduleId(pipeline)).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
