import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import { ProblemError } from '@autoflow/http';

/** A request waits for Temporal no longer than this; a health check, which has a patience of its own, less. */
const PATIENCE_MS = 5_000;

/** Does what is asked of Temporal; throws `TEMPORAL_UNAVAILABLE` (retryable) when it does not answer in time. */
export async function within<T>(client: Client, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + patienceMs, work);
  } catch (error) {
    throw isOutage(error) ? new ProblemError('TEMPORAL_UNAVAILABLE', 'Temporal did not answer.', [], { cause: error }) : error;
  }
}

/** What the transport says when nobody answers: everything else is about the request. */
const OUTAGES: readonly number[] = [1, 4, 8, 14]; // CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE

function isOutage(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return OUTAGES.includes(cause.code);
  return cause instanceof Error && /connect|deadline/i.test(cause.message);
}
