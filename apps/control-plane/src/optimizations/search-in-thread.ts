import { Worker } from 'node:worker_threads';
import type { Budget, MeasuredPipeline, proposeFrom } from '@autoflow/optimizer';

/** Plain data, as it goes to another thread. */
export interface SearchOrder {
  readonly measured: MeasuredPipeline;
  readonly proposers: readonly string[];
  readonly budget: Budget;
}
/** `refused`: what was measured makes no plan that the twin can run. */
export type SearchAnswer = Awaited<ReturnType<typeof proposeFrom>> | { readonly refused: string };

/** One search takes a core: more at a time would take those of the API, and of functions on a shared host. */
let running = false;

/** Ends the thread whatever happens, once it overruns its budget by as much again. Undefined: another search is under way. */
export async function searchInThread(order: SearchOrder): Promise<SearchAnswer | undefined> {
  if (running) return undefined;
  running = true;
  // The built file also where this one runs from source: a thread starts with a file that Node can read.
  const worker = new Worker(new URL('../../dist/optimizations/optimization-thread.js', import.meta.url), {
    workerData: order,
    execArgv: [],
  });
  const overrun = setTimeout(() => void worker.terminate(), 2 * order.budget.ms);
  try {
    return await new Promise<SearchAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the search ended without an answer')));
    });
  } finally {
    running = false;
    clearTimeout(overrun);
    await worker.terminate();
  }
}
