import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { Discreet } from './discreet.js';
import { continuing, currentTrace, startTracing } from './index.js';

const memory = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new Discreet(memory))] });
provider.register({ contextManager: new AsyncLocalStorageContextManager(), propagator: new W3CTraceContextPropagator() });
afterAll(() => {
  for (const api of [trace, context, propagation]) api.disable();
});
beforeEach(() => memory.reset());

const traced = () => continuing('request', [], {}, async () => currentTrace()!);
const span = (name: string) => memory.getFinishedSpans().find((each) => each.name === name)!;

test('work of one trace is part of it; work of several is linked to them', async () => {
  const [one, other] = [await traced(), await traced()];
  await continuing('alone', [one], {}, async () => {});
  await continuing('together', [one, other], { 'autoflow.batch': 'b' }, async () => {});
  expect(span('alone').spanContext().traceId).toBe(one.split('-')[1]);
  const { links, attributes } = span('together');
  expect(links.map((link) => link.context.traceId)).toEqual([one.split('-')[1], other.split('-')[1]]);
  expect([one, other].join()).not.toContain(span('together').spanContext().traceId);
  expect(attributes).toEqual({ 'autoflow.batch': 'b' });
});

test('no message, stack or unknown attribute leaves', async () => {
  await trace.getTracer('any').startActiveSpan('other', async (active) => {
    active.setAttributes({ temporalWorkflowId: 'w', memo: 'SECRET', lastResult: 'SECRET', 'autoflow.records': 2 });
    active.recordException(new TypeError('SECRET'));
    active.setStatus({ code: SpanStatusCode.ERROR, message: 'SECRET' });
    active.end();
  });
  const { attributes, events, status } = span('other');
  expect(attributes).toEqual({ temporalWorkflowId: 'w', 'autoflow.records': 2 });
  expect(events.map((event) => event.attributes)).toEqual([{ 'exception.type': 'TypeError' }]);
  expect(status).toEqual({ code: SpanStatusCode.ERROR });
});

test.each([
  ['nothing says where to', {}],
  ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }],
  ['nothing is to be exported', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' }],
])('it is off where %s', async (_, env) => {
  expect(await startTracing({ service: 'test', env, log: () => undefined })).toBeUndefined();
});
