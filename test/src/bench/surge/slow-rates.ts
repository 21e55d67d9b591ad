import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { uniform } from '@autoflow/twin';

/**
 * The example's rate service as one far away: lognormal, median 3 s. What the surge needs then is instances that wait, of which two cores
 * have plenty, and not cores; and at its height so many that one of them is about a tenth.
 */
export async function startSlowRates(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const random = uniform(1);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const symbols = url.searchParams.get('symbols')?.split(',').filter(Boolean) ?? [];
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const day = url.pathname.split('/').at(-1);
    void after(MEDIAN_MS * Math.exp(SIGMA * normal)).then(() =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ day, base: 'GBP', rates: Object.fromEntries(symbols.map((symbol) => [symbol, 1_000_000])) })),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export const MEDIAN_MS = 3_000;
const SIGMA = 0.3;
