import type { InFlight } from '@autoflow/client/schemas';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';

interface Left {
  readonly pipeline: string;
  /** That new executions do not get any more. */
  readonly version: string;
  readonly release: string;
}

/**
 * Marks what is open of the version that was left, to be taken back into the inbox; feeders do so within seconds. Only what came through the inbox,
 * and only where no stage is a plain write: the rest ends on its version, and the answer says how much that is and why. The whole release is judged,
 * not what each batch has completed (see DECISIONS.md).
 */
export async function takeBack(
  { definitions, feeder, ledger }: Store,
  { pipeline, version, release: hash }: Left,
): Promise<z.output<typeof InFlight>> {
  const release = await definitions.release(pipeline, hash);
  const writers = release?.spec.nodes.filter(({ effect }) => effect === 'write').map(({ id }) => id) ?? [];
  const aborted = writers.length === 0 ? await feeder.abort(pipeline, version) : 0;
  const open = await ledger.openBatches({ pipeline });
  const finishing = open.filter((batch) => batch.version === version && batch.aborted !== true).length;
  const because =
    writers.length > 0
      ? `${writers.join(' and ')} writes and is never run again by itself`
      : finishing > 0
        ? 'they came by the direct door, where somebody waits for their answer'
        : undefined;
  return { version, aborted, finishing, ...(because !== undefined && { because }) };
}
