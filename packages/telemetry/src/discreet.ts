import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/**
 * Ours, those of HTTP, and of what the Temporal SDK sets what names things. It also sets whatever else it knows of a workflow (memo, search
 * attributes, the last result), and that may be what somebody has marked sensitive.
 */
const ATTRIBUTES =
  /^(autoflow\.[a-z_]+|http\.(request\.method|route|response\.status_code)|run_id|temporal(WorkflowId|ActivityId|UpdateId)|workflowType|taskQueue|namespace|attempt)$/;

/** No value of a record leaves by a span: of attributes only those known to hold none, of an exception its type, of a status no message. */
export class Discreet implements SpanExporter {
  constructor(private readonly exporter: SpanExporter) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.exporter.export(spans.map(discreet), done);
  }
  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }
}

function discreet(span: ReadableSpan): ReadableSpan {
  const events = span.events.map(({ name, time, attributes = {} }) => ({ name, time, attributes: only(attributes, /^exception\.type$/) }));
  const value = { attributes: only(span.attributes, ATTRIBUTES), events, status: { code: span.status.code } };
  return Object.create(span, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, { value: each }]))) as ReadableSpan;
}

function only(attributes: Attributes, which: RegExp): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name, value]) => which.test(name) && (typeof value !== 'object' || value === null)),
  );
}
