import { createServer } from 'node:net';

/** The port if nobody has it on the loopback address, else 0: any free one. */
export function freePortOr(port: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}
