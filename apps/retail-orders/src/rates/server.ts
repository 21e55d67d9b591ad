import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { latencies, RATES_LATENCY } from './latency.js';
import { ratesOn } from './rate-table.js';

export interface RatesServer {
  readonly url: string;
  /** Requests answered so far. */
  requests(): number;
  stop(): Promise<void>;
}

/**
 * A rate service as slow as a real one: `GET /rates/2010-12-01?symbols=EUR,USD` answers `{day, base, rates}` with rates in millionths
 * of a unit per pound, each request after a lognormal latency (median 20 ms, p99 80 ms; seeded, drawn in the order of arrival).
 */
export async function startRatesServer({ port = 0, seed = 1 }: { port?: number; seed?: number } = {}): Promise<RatesServer> {
  const latency = latencies(RATES_LATENCY, seed);
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    void setTimeout(latency()).then(() => answer(request, response));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const day = /^\/rates\/(\d{4}-\d\d-\d\d)$/.exec(url.pathname)?.[1];
  const symbols = url.searchParams.get('symbols')?.split(',').filter(Boolean) ?? [];
  if (request.method !== 'GET' || day === undefined) return send(response, 404, { error: 'ask for GET /rates/2010-12-01?symbols=EUR,USD' });
  send(response, 200, { day, base: 'GBP', rates: ratesOn(day, symbols) });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
