/**
 * Replays recorded histories, without a server, more strictly than Temporal does: the SDK compares type and id of an activity, we
 * also compare its queue and arguments.
 */
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { defaultPayloadConverter } from '@temporalio/common';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker, type InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import { bundleWorkflows } from '@autoflow/workflows/bundle';
import type { ObserverSinks, Scheduled } from './observe.js';

/** Of the tracing interceptors. */
interface Spans extends Sinks {
  exporter: { export(spans: unknown): void };
}

export type Replay = (history: unknown) => Promise<void>;

/** Rejects when the workflows of today would not have done what the history says. */
export async function replayer({ traced = false }: { readonly traced?: boolean } = {}): Promise<Replay> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const workflowBundle = await bundleWorkflows({ traced, interceptors: [fileURLToPath(new URL('observe.ts', import.meta.url))] });
  return async (json) => {
    const history = historyFromJSON(json);
    const scheduled: Scheduled[] = [];
    const sinks: InjectedSinks<ObserverSinks & Spans> = {
      observer: { scheduled: { fn: (_, activity) => void scheduled.push(activity), callDuringReplay: true } },
      // Only asked for by the traced bundle.
      exporter: { export: { fn: () => {} } },
    };
    // Optimizations read theirs.
    const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    await Worker.runReplayHistory({ workflowBundle, sinks }, history, ...(workflowId ? [workflowId] : []));
    compare(recordedIn(history), scheduled);
  };
}

function recordedIn(history: History): Scheduled[] {
  const own = history.events?.[0]?.workflowExecutionStartedEventAttributes?.taskQueue?.name ?? '';
  return (history.events ?? []).flatMap(({ activityTaskScheduledEventAttributes: activity }) =>
    activity
      ? {
          activityId: activity.activityId ?? '',
          type: activity.activityType?.name ?? '',
          queue: activity.taskQueue?.name === own ? '' : (activity.taskQueue?.name ?? ''),
          args: (activity.input?.payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload<unknown>(payload)),
        }
      : [],
  );
}

function compare(recorded: readonly Scheduled[], replayed: readonly Scheduled[]): void {
  const byId = new Map(replayed.map((activity) => [activity.activityId, activity]));
  for (const was of recorded) {
    const is = byId.get(was.activityId);
    for (const part of ['type', 'queue', 'args'] as const)
      if (!isDeepStrictEqual(plain(was[part]), plain(is?.[part])))
        throw new Error(
          `activity ${was.activityId} (${was.type}): ${part} was ${JSON.stringify(was[part])}, is now ${JSON.stringify(is?.[part])}`,
        );
  }
}

/** As it crosses the wire: the sandbox has its own Object, and undefined fields vanish. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
