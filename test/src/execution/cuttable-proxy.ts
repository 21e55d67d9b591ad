/** A TCP proxy that can be cut: open connections break, new ones are refused, until it is mended. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CuttableProxy {
  readonly port: number;
  cut(): void;
  mend(): void;
  /** Resolves when so many connections were refused since the cut: the other side has noticed. */
  refused(times: number): Promise<void>;
  close(): Promise<void>;
}

export async function cuttableProxy(target: { host: string; port: number }): Promise<CuttableProxy> {
  const open = new Set<Socket>();
  let isCut = false;
  let refusals = 0;
  let noticed = () => {};
  const server = createServer((inward) => {
    if (isCut) {
      refusals += 1;
      noticed();
      inward.destroy();
      return;
    }
    const outward = connect(target);
    for (const [socket, other] of [
      [inward, outward],
      [outward, inward],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      refusals = 0;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    refused: (times) =>
      new Promise((resolve) => {
        noticed = () => {
          if (refusals >= times) resolve();
        };
        noticed();
      }),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
