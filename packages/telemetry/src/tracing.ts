import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';

export interface TracingOptions {
  /** `service.name` of the process, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (level: 'warn', message: string, details?: object) => void;
}
export interface Tracing {
  readonly processor: SpanProcessor;
  readonly resource: Resource;
  /** Sends what is left, for a moment: a collector that does not answer keeps nobody from ending. */
  close(): Promise<void>;
}

/**
 * Traces of this process go to where OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) says, by OTLP/HTTP with JSON; undefined, at no
 * cost, when it says nothing, with OTEL_SDK_DISABLED=true and with OTEL_TRACES_EXPORTER=none. Spans are sent in the background from a
 * bounded queue: while nobody takes them they are dropped, and whatever is traced goes on. The other OTEL_ variables hold as everywhere.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  if (!isWanted(options.env)) return undefined;
  const { startSdk } = await import('./sdk.js');
  return startSdk(options);
}

function isWanted(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return false;
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}
