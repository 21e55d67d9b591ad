import { Worker } from 'node:worker_threads';
import { decideOn, FALLBACK, followingMemory, steady } from '@autoflow/optimizer';
import type { Compared, ControllerAnswer, ControllerRequest, Decision, Observed } from '@autoflow/optimizer';

/** Who is asked what to want, and how agent and fallback would have done. */
export interface Controller {
  /** Never rejects: without an agent there is the fallback, and the reason. */
  decide(
    observed: Observed,
    lateCost: number,
  ): Promise<{ readonly agent?: Decision; readonly without?: string; readonly policy?: string; readonly fallback: Decision }>;
  /** Undefined when there is no agent to compare. */
  compare(observed: Observed, lateCost: number): Promise<{ readonly agent: Compared; readonly fallback: Compared } | undefined>;
  close(): Promise<void>;
}

export interface ControllerSettings {
  /** Of its thread: `@autoflow/learning/controller`, which this package does not load. */
  readonly program: string;
  /** File of a policy; default: the one that comes with AutoFlow. */
  readonly policy?: string;
  /** A thread that has not answered for so long hangs, and another takes its place; default: 20 seconds. */
  readonly withinMs?: number;
}

const WITHIN_MS = 20_000;

type Asked = ControllerRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

/** The thread is started when it is first asked, and anew when it has ended or hangs: what it was asked meanwhile is not answered. */
export function controllerThread({ program, policy, withinMs = WITHIN_MS }: ControllerSettings): Controller {
  let thread: Worker | undefined;
  let ids = 0;
  const waiting = new Map<number, { resolve: (answer: ControllerAnswer) => void; reject: (error: Error) => void }>();

  const lost = (why: string): void => {
    thread = undefined;
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  const started = (): Worker => {
    const worker = new Worker(program, { workerData: policy === undefined ? {} : { policy }, execArgv: [] });
    worker.unref();
    worker.on('message', (answer: ControllerAnswer) => {
      waiting.get(answer.id)?.resolve(answer);
      waiting.delete(answer.id);
    });
    worker.once('error', (error) => thread === worker && lost(`the thread of the controller failed: ${String(error)}`));
    worker.once('exit', () => thread === worker && lost('the thread of the controller ended'));
    return worker;
  };
  const hangs = (): void => {
    const hung = thread;
    lost(`the controller did not answer within ${withinMs / 1000} s`);
    void hung?.terminate();
  };
  const ask = async (asked: Asked): Promise<ControllerAnswer> => {
    const id = ids++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<ControllerAnswer>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        timer = setTimeout(hangs, withinMs);
        (thread ??= started()).postMessage({ ...asked, id });
      });
      if (answer.kind === 'failed') throw new Error(`the controller failed: ${answer.message}`);
      return answer;
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  };

  return {
    decide: async (observed, lateCost) => {
      try {
        const answer = await ask({ kind: 'decide', observed, lateCost });
        if (answer.kind === 'decided') return answer;
        throw new Error(`the controller answered '${answer.kind}'`);
      } catch (error) {
        return { without: (error as Error).message, fallback: decideOn(observed, STANDBY) };
      }
    },
    compare: async (observed, lateCost) => {
      const answer = await ask({ kind: 'compare', observed, lateCost });
      return answer.kind === 'compared' && answer.agent !== undefined ? { agent: answer.agent, fallback: answer.fallback } : undefined;
    },
    close: async () => {
      const running = thread;
      thread = undefined;
      await running?.terminate();
    },
  };
}

/** The rule in this thread, should the controller's be lost: it takes a millisecond. */
const STANDBY = followingMemory(steady(FALLBACK));
