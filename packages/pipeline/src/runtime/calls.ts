import type { Fields } from '../json.js';
import type { RunOptions } from './contract.js';
import { Failure } from './failure.js';
import type { PlannedNode } from './plan.js';

const PROGRESS_EVERY_MS = 250;

/** The calls that one node makes to its handler in one invocation: guarded, bounded in time, cancelled with the invocation. */
export class Calls {
  private lastSign: number;
  private current = new CallSignal();

  constructor(
    private readonly node: PlannedNode,
    private readonly options: RunOptions,
  ) {
    options.progress(node.id, node.spec.timeoutMs);
    this.lastSign = options.clock.now();
  }

  /** To be awaited between records when it answers a promise: says that work goes on, and lets the process hear of a cancellation. */
  breathe(): Promise<void> | undefined {
    this.options.signal.throwIfAborted();
    const now = this.options.clock.now();
    if (now - this.lastSign < PROGRESS_EVERY_MS) return undefined;
    this.lastSign = now;
    this.options.progress(this.node.id, this.node.spec.timeoutMs);
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** To be awaited before a call when it answers a promise: resolves when the resources that the handler uses may be used once more. */
  permitted(): Promise<void> | undefined {
    const { limitedUses, id, spec } = this.node;
    const { permit, progress, clock } = this.options;
    if (permit === undefined || limitedUses.length === 0) return undefined;
    return permit(limitedUses).then(() => {
      this.lastSign = clock.now();
      progress(id, spec.timeoutMs);
    });
  }

  /** Calls a handler that must answer at once. What it throws is answered as a failure. */
  sync<T>(call: () => T): T | Failure {
    try {
      return this.guarded(call);
    } catch (thrown) {
      return Failure.of(thrown);
    }
  }

  /** Calls a handler that may answer later; a promise is awaited for as long as the node's timeout allows. */
  maybeAsync<T>(call: () => T | PromiseLike<T>): T | Failure | Promise<T | Failure> {
    const answer = this.sync(call);
    return isThenable(answer) ? this.bounded(answer) : (answer as T | Failure);
  }

  /** What every handler gets. */
  context(key: string | undefined): { readonly signal: AbortSignal; readonly log: (message: string, details?: Fields) => void } {
    const current = (this.current = new CallSignal());
    return {
      get signal() {
        return current.signal;
      },
      log: (message, details) => this.options.log({ node: this.node.id, key, message, details }),
    };
  }

  private guarded<T>(call: () => T): T {
    return this.options.guard ? this.options.guard(this.node.id, call) : call();
  }

  private async bounded<T>(answer: PromiseLike<T>): Promise<T | Failure> {
    const { signal } = this.options;
    const { timeoutMs } = this.node.spec;
    const { current } = this;
    let stop = (): void => {};
    const ended = new Promise<Failure>((resolve, reject) => {
      const cancelled = (): void => {
        current.abort(signal.reason);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        const failure = new Failure(
          false,
          'TIMEOUT',
          `'${this.node.id}' took longer than ${timeoutMs} ms; raise its timeoutMs, or make it honour its signal`,
        );
        current.abort(Object.assign(new Error(failure.message), { name: 'TimeoutError' }));
        resolve(failure);
      }, timeoutMs);
      signal.addEventListener('abort', cancelled, { once: true });
      stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancelled);
      };
    });
    try {
      return await Promise.race([answer, ended]);
    } catch (thrown) {
      signal.throwIfAborted();
      return Failure.of(thrown);
    } finally {
      stop();
    }
  }
}

/** Made when it is asked for, because most handlers do not ask. */
class CallSignal {
  private made: AbortController | undefined;
  private ended: { readonly reason: unknown } | undefined;

  get signal(): AbortSignal {
    this.made ??= new AbortController();
    if (this.ended && !this.made.signal.aborted) this.made.abort(this.ended.reason);
    return this.made.signal;
  }

  abort(reason: unknown): void {
    this.ended = { reason };
    this.made?.abort(reason);
  }
}

export function isThenable(value: unknown): value is PromiseLike<never> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
