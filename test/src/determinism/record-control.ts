/** Records the histories of rollouts, optimizations and the control of allocations; see `record.ts`. */
import { createRequire } from 'node:module';
import { startStack } from '@autoflow/local-stack';
import {
  ALLOCATION_QUEUE,
  asWritten,
  CONTROL_QUEUE,
  defaultAllocation,
  defaultEnvelope,
  type AllocationInput,
  type OptimizationInput,
  type OptimizationRequest,
} from '@autoflow/topology';
import {
  ALLOCATION_WORKFLOW,
  allocationWorkflowId,
  OPTIMIZATION_WORKFLOW,
  optimizationWorkflowId,
  ROLLOUT_WORKFLOW,
  rolloutWorkflowId,
  trainingWorkflowId,
  type RolloutInput,
} from '@autoflow/workflows';
import { PROGRAM } from '../control/world.js';
import { BY, startPlatform, untilRow } from '../execution/platform.js';
import { invocations, parcelsSpec, RELEASE, settle } from '../optimization/parcels.js';
import { begin, ended, PIPELINE, QUICK, register, tell, traffic, until } from '../rollouts/rig.js';
import { saveHistory } from './save-history.js';

const { resolve } = createRequire(import.meta.url);
const optimizer = { program: resolve('@autoflow/learning/optimizer') };
const learner = { program: resolve('@autoflow/learning/learner') };
const stack = await startStack({ name: 'record-control-histories', mode: 'ephemeral', log: (line) => console.log(line) });
const { databaseUrl, temporal, folder } = stack;
const platform = await startPlatform({ databaseUrl, temporal: { address: temporal.address, namespace: temporal.namespace }, folder });
const { store, client } = platform;
const save = (name: string, workflowId: string, runId?: string) => saveHistory(client, name, workflowId, runId);
try {
  await store.metering.maintain(30);
  const written = await register(platform, 'good', false);
  const fused = await register(platform, 'good', true);
  const crashing = await register(platform, 'crashing', true);
  console.log(`${written} is stable`);
  const allocation = await startAllocation();
  await platform.startWorker(undefined, { recordShare: 1, optimizer, controller: { program: PROGRAM } });
  const flowing = traffic(platform, 50);
  await recordRollouts(fused, crashing);
  await flowing.stop();
  await recordOptimizations();
  await recordAllocation(allocation);
} finally {
  await platform.stop();
  await stack.stop();
}

async function recordRollouts(fused: string, crashing: string): Promise<void> {
  const workflowId = rolloutWorkflowId(PIPELINE);
  await untilRow(platform, 'select from autoflow.recorded_inputs having count(*) > 50');

  await ended(platform, await begin(platform, crashing, { shadowRecords: 20 }));
  await client.workflow.getHandle(workflowId).result();
  await save('rollout-refused-in-shadow', workflowId);

  const promoted = await begin(platform, fused, { shadowRecords: 20, steps: [25, 50], minimumRecords: 10 });
  await until(platform, promoted, ({ steps }) => steps.length === 2);
  await tell(platform, promoted, 'pause');
  await tell(platform, promoted, 'resume');
  await tell(platform, promoted, 'promote');
  await client.workflow.getHandle(workflowId).result();
  await save('rollout-promoted-by-hand', workflowId);

  await store.rollouts.create({ id: 'ro-anew', pipeline: PIPELINE, version: crashing, own: false, settings: QUICK }, BY);
  const args: [RolloutInput] = [{ rollout: 'ro-anew', evaluationsPerRun: 1 }];
  const anew = await client.workflow.start(ROLLOUT_WORKFLOW, { taskQueue: CONTROL_QUEUE, workflowId, args });
  await ended(platform, 'ro-anew');
  await client.workflow.getHandle(workflowId).result();
  await save('rollout-continued-as-new', workflowId, anew.firstExecutionRunId);
  await save('rollout-rolled-back', workflowId);
}

async function recordOptimizations(): Promise<void> {
  const topology = asWritten(parcelsSpec);
  const envelope = defaultEnvelope(parcelsSpec, topology);
  const release = { pipeline: 'parcels', hash: RELEASE, spec: parcelsSpec };
  await store.definitions.registerRelease({
    release,
    topology,
    envelope,
    allocation: defaultAllocation(parcelsSpec, topology, envelope),
    by: BY,
  });
  await optimization('optimization-stopped');
  await settle(store, 60);
  await store.metering.writeInvocations(
    invocations(
      'mixed',
      Array.from({ length: 60 }, (_, e) => (e % 2 === 0 ? 1 : 8)),
    ),
  );
  await optimization('optimization-registered');
  await platform.startWorker(['learner'], { learner });
  await optimization('optimization-trained', { dryRun: true, training: { learners: 1, budget: { steps: 400 } } });
  await save('training-completed', trainingWorkflowId('optimization-optimization-trained'));
}

async function optimization(name: string, asked: Partial<OptimizationRequest> = {}): Promise<void> {
  const workflowId = optimizationWorkflowId(name);
  const request: OptimizationRequest = { dryRun: false, evaluations: 60, proposers: ['beam'], ratePerSecond: 5, ...asked };
  const args: [OptimizationInput] = [{ optimization: name, pipeline: 'parcels', request, by: 'person' }];
  await client.workflow.execute(OPTIMIZATION_WORKFLOW, { taskQueue: CONTROL_QUEUE, workflowId, args });
  await save(name, workflowId);
}

/** Before there are workers, which would start it with more steps in a run. */
async function startAllocation() {
  await control('shadow');
  const args: [AllocationInput] = [{ pipeline: PIPELINE, stepsPerRun: 2 }];
  return client.workflow.start(ALLOCATION_WORKFLOW, { taskQueue: ALLOCATION_QUEUE, workflowId: allocationWorkflowId(PIPELINE), args });
}

async function recordAllocation({ firstExecutionRunId }: Awaited<ReturnType<typeof startAllocation>>): Promise<void> {
  await save('allocation-continued-as-new', allocationWorkflowId(PIPELINE), firstExecutionRunId);
  await control('off');
  await client.workflow.getHandle(allocationWorkflowId(PIPELINE)).result();
  await save('allocation-switched-off', allocationWorkflowId(PIPELINE));
}

async function control(mode: 'shadow' | 'off'): Promise<void> {
  await store.settings.change({ pipeline: PIPELINE, change: { control: { mode, intervalMs: 1_000 } }, by: BY });
}
