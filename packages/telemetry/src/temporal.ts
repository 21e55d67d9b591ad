/** What a Temporal client and Worker need so that a trace goes through the server; nothing at all when it is off. */
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  type OpenTelemetrySinks,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { InjectedSinks, WorkerInterceptors } from '@temporalio/worker';
import type { Tracing } from './tracing.js';

/** Starts and signals carry the trace; what merely looks is not worth a span. */
export function clientInterceptors(tracing: Tracing | undefined): { interceptors?: { workflow: WorkflowClientInterceptor[] } } {
  if (tracing === undefined) return {};
  const all = new OpenTelemetryWorkflowClientInterceptor();
  const carrying: WorkflowClientInterceptor = {
    startWithDetails: (input, next) => all.startWithDetails(input, next),
    signal: (input, next) => all.signal(input, next),
  };
  return { interceptors: { workflow: [carrying] } };
}

export function workerInterceptors(tracing: Tracing | undefined): { interceptors?: WorkerInterceptors } {
  if (tracing === undefined) return {};
  return { interceptors: { activity: [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) })] } };
}

/** For Workers whose bundle is the traced one: where the spans of workflows go. Those of a replay go nowhere. */
export function workflowSinks(tracing: Tracing | undefined): { sinks?: InjectedSinks<OpenTelemetrySinks> } {
  if (tracing === undefined) return {};
  return { sinks: { exporter: makeWorkflowExporter(tracing.processor, tracing.resource) } };
}
