import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 2_000;

/** Says that the activity is alive for as long as the work goes on, which hears of a cancellation by the signal. */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } catch (error) {
    context.cancellationSignal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(beat);
  }
}
