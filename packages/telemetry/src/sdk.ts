/** The OpenTelemetry SDK, set up for a process. Loaded only where traces are wanted. */
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { envDetectorSync, Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { Discreet } from './discreet.js';
import type { Tracing, TracingOptions } from './tracing.js';

const CLOSE_WITHIN_MS = 1_000;
const TELL_EVERY_MS = 60_000;

export function startSdk({ service, log }: TracingOptions): Tracing {
  setGlobalErrorHandler(seldom((error) => log('warn', 'spans could not be sent and are dropped', { error: messageOf(error) })));
  const named = new Resource({ 'service.name': service, 'service.namespace': 'autoflow' });
  const resource = Resource.default()
    .merge(named)
    .merge(envDetectorSync.detect() as Resource);
  const processor = new BatchSpanProcessor(new Discreet(new OTLPTraceExporter()));
  const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] });
  provider.register();
  return { processor, resource, close: () => within(CLOSE_WITHIN_MS, provider.shutdown()) };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

/** A collector that is gone for a day is not told of with every batch of spans. */
function seldom<T>(tell: (what: T) => void): (what: T) => void {
  let toldAt = -Infinity;
  return (what) => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    tell(what);
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
}
