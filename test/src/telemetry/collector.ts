/** An OTLP/HTTP receiver in this process: keeps what it gets; or takes it and never answers. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: { readonly [name: string]: unknown };
  readonly links: readonly string[];
}
export interface Collector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Whatever was sent, as it was. */
  readonly bodies: readonly string[];
  /** From now on it answers nobody. */
  hang(): void;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const unanswered: ServerResponse[] = [];
  let hangs = false;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      if (hangs) return void unanswered.push(response);
      spans.push(...spansIn(JSON.parse(body) as Export));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    hang: () => void (hangs = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly [type: string]: unknown };
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'service' | 'attributes' | 'links'> & {
        readonly attributes: readonly KeyValue[];
        readonly links?: readonly { readonly traceId: string }[];
      })[];
    }[];
  }[];
}

function spansIn({ resourceSpans }: Export): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, links = [], ...span }) => ({
        ...span,
        service: String(valuesOf(resource.attributes)['service.name']),
        attributes: valuesOf(attributes),
        links: links.map(({ traceId }) => traceId),
      })),
    ),
  );
}

const valuesOf = (attributes: readonly KeyValue[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
