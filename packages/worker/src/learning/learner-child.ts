import { fork } from 'node:child_process';
import { setPriority } from 'node:os';

/** What a learner's process is asked and answers: the names of `@autoflow/learning/learner`, which this package must not load. */
export type LearnerRequest =
  | {
      readonly kind: 'begin';
      readonly settings: object;
      readonly learner: number;
      readonly functions?: readonly object[];
      readonly state?: Uint8Array;
    }
  | { readonly kind: 'learn'; readonly weights: Float32Array; readonly steps: number; readonly updates: number }
  | { readonly kind: 'validate'; readonly weights: Float32Array };

interface Answers {
  readonly begin: { readonly kind: 'begun'; readonly fresh: Float32Array };
  readonly learn: { readonly kind: 'learned'; readonly delta: Float32Array; readonly steps: number; readonly state: Uint8Array };
  readonly validate: { readonly kind: 'validated'; readonly score: number; readonly cost: number; readonly late: number };
}

export interface LearnerChild {
  /** One at a time. Rejects when the process ends, or says that it failed. */
  ask<Kind extends LearnerRequest['kind']>(request: Extract<LearnerRequest, { kind: Kind }>): Promise<Answers[Kind]>;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** As `nice` counts. */
const PRIORITY = 15;

/** Starts the learner's program with a low priority: who serves records goes first. */
export function startLearner(program: string): LearnerChild {
  const child = fork(program, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let waiting: { resolve: (answer: never) => void; reject: (error: Error) => void } | undefined;
  const fail = (why: string): void => {
    waiting?.reject(new Error(why));
    waiting = undefined;
  };
  child.once('error', (error) => fail(`The learner's process does not start: ${error.message}`));
  child.once('exit', (code, signal) => fail(`The learner's process ended (${signal ?? `exit code ${code}`}).`));
  child.on('message', (answer: { kind: string; message?: string }) => {
    if (answer.kind === 'failed') return fail(answer.message ?? 'The learner failed.');
    waiting?.resolve(answer as never);
    waiting = undefined;
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (child.exitCode !== null || child.signalCode !== null) return fail("The learner's process is gone.");
        child.send(request, (error) => error && fail(`The learner's process cannot be asked: ${error.message}`));
      }),
    async kill() {
      child.kill('SIGKILL');
      if (child.pid !== undefined) await gone;
    },
  };
}
