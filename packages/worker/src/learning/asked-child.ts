import { fork } from 'node:child_process';
import { setPriority } from 'node:os';

/** What a process may be asked, by kind, and what it answers. It may tell of its progress meanwhile (`kind: 'progress'`). */
export interface Protocol {
  readonly [kind: string]: { readonly request: { readonly kind: string }; readonly answer: object };
}

export interface AskedChild<P extends Protocol> {
  /** One at a time. Rejects when the process ends, says that it failed, or says nothing for longer than it may. */
  ask<Kind extends keyof P>(request: P[Kind]['request'] & { readonly kind: Kind }): Promise<P[Kind]['answer']>;
  /** Wall time of all that it was asked, in milliseconds. */
  readonly askedMs: number;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly told?: (progress: object) => void;
  readonly memoryMb?: number;
  /** Asked, and silent for longer than this (neither an answer nor progress), it hangs; default: it may take for ever. */
  readonly silentMs?: number;
}

/** As `nice` counts. */
const PRIORITY = 15;

interface Told {
  readonly kind: string;
  readonly message?: string;
  readonly code?: string;
}

/** Starts a program with a low priority: who serves records goes first. What it is asked goes as structured clones. */
export function startChild<P extends Protocol>(program: string, { told, memoryMb, silentMs }: ChildOptions = {}): AskedChild<P> {
  const child = fork(program, [], {
    serialization: 'advanced',
    execArgv: memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let waiting: { resolve: (answer: never) => void; reject: (error: Error) => void } | undefined;
  let silence: NodeJS.Timeout | undefined;
  const fail = (why: string, code?: string): void => {
    clearTimeout(silence);
    waiting?.reject(Object.assign(new Error(why), code !== undefined && { code }));
    waiting = undefined;
  };
  const heard = (): void => {
    clearTimeout(silence);
    if (silentMs !== undefined)
      silence = setTimeout(() => fail(`The process has said nothing for ${silentMs / 1000} s.`, 'SILENT'), silentMs);
  };
  child.once('error', (error) => fail(`The process does not start: ${error.message}`));
  child.once('exit', (code, signal) => fail(`The process ended (${signal ?? `exit code ${code}`}).`));
  child.on('message', (answer: Told) => {
    if (answer.kind === 'progress') {
      heard();
      return told?.(answer);
    }
    if (answer.kind === 'failed') return fail(answer.message ?? 'It failed.', answer.code);
    clearTimeout(silence);
    waiting?.resolve(answer as never);
    waiting = undefined;
  });
  const ask = <Answer>(request: { readonly kind: string }): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      heard();
      if (child.exitCode !== null || child.signalCode !== null) return fail('The process is gone.');
      child.send(request, (error) => error && fail(`The process cannot be asked: ${error.message}`));
    });
  let askedMs = 0;
  return {
    async ask(request) {
      const began = performance.now();
      try {
        return await ask(request);
      } finally {
        askedMs += performance.now() - began;
      }
    },
    get askedMs() {
      return askedMs;
    },
    async kill() {
      child.kill('SIGKILL');
      if (child.pid !== undefined) await gone;
    },
  };
}
