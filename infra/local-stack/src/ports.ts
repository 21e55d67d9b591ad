import { createServer } from 'node:net';

/** A port of 127.0.0.1 on which nothing listens: the first free one of `wished`, else one that the system chooses. */
export async function freePort(...wished: (number | undefined)[]): Promise<number> {
  for (const port of [...wished, 0]) {
    const free = port === undefined ? undefined : await tryToListen(port);
    if (free !== undefined) return free;
  }
  throw new Error('The system has no free port left on 127.0.0.1');
}

function tryToListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}

/** How often a start may find that somebody else took one of its ports meanwhile: a server chooses several by itself, each as a port that was free a moment ago. */
const TRIES = 4;

/** Starts a server on ports that were free a moment ago, and again when somebody else was faster. */
export async function withFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === TRIES || !(error instanceof Error && /address already in use/i.test(error.message))) throw error;
    }
  }
}
