/** Spans of our own. Without a tracing SDK in the process all of this does nothing, at next to no cost. */
import {
  type Attributes,
  context,
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const tracer = () => trace.getTracer('@autoflow/telemetry');

/** The trace under way, as a W3C `traceparent`. */
export function currentTrace(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** Of the traces of a batch so many are linked. */
const MOST_LINKS = 100;

/**
 * Work that was asked for elsewhere: of one `traceparent` it is part, of several it is a trace of its own that is linked to them (the first
 * hundred).
 */
export function continuing<T>(name: string, traces: readonly string[], attributes: Attributes, work: () => Promise<T>): Promise<T> {
  const contexts = traces.slice(0, MOST_LINKS).map((traceparent) => propagation.extract(ROOT_CONTEXT, { traceparent }));
  const [first = ROOT_CONTEXT] = contexts;
  if (contexts.length <= 1) return inSpan(name, { kind: SpanKind.CONSUMER, attributes }, first, work);
  return inSpan(name, { kind: SpanKind.CONSUMER, attributes, links: contexts.flatMap(linkTo) }, ROOT_CONTEXT, work);
}

/** A request that is served: part of the trace that its headers name. The span is the caller's to end. */
export function serving(name: string, headers: object, attributes: Attributes): { readonly span: Span; run<T>(work: () => T): T } {
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  return { span, run: (work) => context.with(trace.setSpan(parent, span), work) };
}

/** What was measured elsewhere and is over; milliseconds of the epoch. Part of the span under way. */
export function spanOfPast(name: string, from: number, to: number, attributes: Attributes): void {
  tracer().startSpan(name, { startTime: from, attributes }).end(to);
}

function linkTo(of: Context) {
  const found = trace.getSpanContext(of);
  return found === undefined ? [] : [{ context: found }];
}

function inSpan<T>(name: string, options: SpanOptions, parent: Context, work: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}
