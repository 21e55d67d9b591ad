import type { Computed, OptimizerProtocol, SearchProgress } from '@autoflow/optimizer';
import type { OptimizationRow, Store } from '@autoflow/store';
import type { OptimizationDecision, OptimizationStop } from '@autoflow/topology';
import { startChild, type AskedChild } from '../learning/asked-child.js';
import type { Meter } from './meter.js';

export interface OptimizingPorts {
  readonly store: Pick<
    Store,
    'optimizations' | 'definitions' | 'arms' | 'metrics' | 'settings' | 'trainings' | 'rollouts' | 'comparisons' | 'scorers' | 'fleet'
  >;
  /** The program of the process that fits and searches: `@autoflow/learning/optimizer`, which this package does not load. */
  readonly program: string;
  /** Of the host that runs the functions. */
  readonly cores: number;
  /** Whether there is a workflow that runs this optimization. */
  isRunning(optimization: string): Promise<boolean>;
  /** Undefined: nothing can be rolled out from here. */
  readonly rollouts?: RolloutStarter;
}

/** Leads traffic to a version step by step, or says why not. */
export interface RolloutStarter {
  start(request: { readonly pipeline: string; readonly version: string; readonly reason: string }): Promise<{ readonly rollout: string }>;
}

/** One step of one optimization, under way. */
export interface Job {
  readonly row: OptimizationRow;
  readonly signal: AbortSignal;
  /** Of the process that is asked: seen by whoever looks at the optimization. */
  readonly told: (progress: SearchProgress) => void;
  readonly meter: Pick<Meter, 'begin' | 'end'>;
}

/** What a step comes to: its decision, and what it has found out for those that follow. */
export interface Outcome {
  readonly decision: Omit<OptimizationDecision, 'step'>;
  readonly document?: object;
  readonly set?: Partial<Pick<OptimizationRow, 'version' | 'registered' | 'rollout'>>;
}

export const goOn = (reason: string): Outcome['decision'] => ({ verdict: 'go-on', reason });
export const stop = (code: OptimizationStop, reason: string): Outcome['decision'] => ({ verdict: 'stop', code, reason });

/** Asks a process that is started for it and killed with it: also when the step is cancelled. */
export async function ask<Kind extends keyof OptimizerProtocol>(
  { program }: OptimizingPorts,
  { signal, told, meter }: Job,
  request: OptimizerProtocol[Kind]['request'] & { readonly kind: Kind },
): Promise<OptimizerProtocol[Kind]['answer']> {
  signal.throwIfAborted();
  const child: AskedChild<OptimizerProtocol> = startChild(program, { told: (progress) => told(progress as SearchProgress) });
  const kill = (): void => void child.kill();
  signal.addEventListener('abort', kill, { once: true });
  let computedMs: number | undefined;
  meter.begin();
  try {
    const answer = await child.ask<Kind>(request);
    computedMs = (answer as Partial<Computed>).cpuMs;
    return answer;
  } finally {
    meter.end(computedMs);
    signal.removeEventListener('abort', kill);
    await child.kill();
  }
}

/** As `ask`. Undefined: the process had no answer in so many milliseconds, and was killed. */
export async function askWithin<Kind extends keyof OptimizerProtocol>(
  ports: OptimizingPorts,
  job: Job,
  request: OptimizerProtocol[Kind]['request'] & { readonly kind: Kind },
  ms: number,
): Promise<OptimizerProtocol[Kind]['answer'] | undefined> {
  const over = AbortSignal.timeout(Math.ceil(ms));
  try {
    return await ask<Kind>(ports, { ...job, signal: AbortSignal.any([job.signal, over]) }, request);
  } catch (error) {
    if (job.signal.aborted || !over.aborted) throw error;
    return undefined;
  }
}

/** The document of a step that came before this one. */
export async function found<T>({ store }: OptimizingPorts, { row }: Job, step: OptimizationDecision['step']): Promise<T> {
  const document = await store.optimizations.document(row.id, step);
  if (document === undefined)
    throw Object.assign(new Error(`the step '${step}' of optimization ${row.id} has left nothing`), { code: 'NOT_FOUND' });
  return document as T;
}
