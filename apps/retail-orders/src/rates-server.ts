/** The rate service as a process: `node dist/rates-server.js [--port N] [--seed N]`; its first line is `{"url":"http://…"}`. */
import { parseArgs } from 'node:util';
import { startRatesServer } from './rates/server.js';

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, seed: { type: 'string', default: '1' } } });
const [port, seed] = [Number(values.port), Number(values.seed)];
if (!Number.isInteger(port) || port < 0 || port > 65_535 || !Number.isInteger(seed)) {
  console.error('usage: rates-server [--port 0..65535] [--seed N]');
  process.exit(2);
}
const server = await startRatesServer({ port, seed });
console.log(JSON.stringify({ url: server.url }));
process.send?.({ url: server.url });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void server.stop());
