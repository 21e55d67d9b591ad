import type { InFlight } from '@autoflow/client/schemas';
import type { PipelineRow, Store } from '@autoflow/store';
import type { z } from 'zod';

/**
 * Marks what is open of the version before, to be taken back into the inbox; feeders do so within seconds. Only what came through the inbox,
 * and only where no stage is a plain write: the rest ends on its version, and the answer says how much that is and why. The whole release is judged,
 * not what each batch has completed (see DECISIONS.md).
 */
export async function takeBack(
  { definitions, feeder, ledger }: Store,
  { name, stable }: Pick<PipelineRow, 'name' | 'stable'>,
): Promise<z.output<typeof InFlight>> {
  const release = await definitions.release(name, stable.release);
  const writers = release?.spec.nodes.filter(({ effect }) => effect === 'write').map(({ id }) => id) ?? [];
  const aborted = writers.length === 0 ? await feeder.abort(name, stable.version) : 0;
  const open = await ledger.openBatches({ pipeline: name });
  const finishing = open.filter((batch) => batch.version === stable.version && batch.aborted !== true).length;
  const because =
    writers.length > 0
      ? `${writers.join(' and ')} writes and is never run again by itself`
      : finishing > 0
        ? 'they came by the direct door, where somebody waits for their answer'
        : undefined;
  return { version: stable.version, aborted, finishing, ...(because !== undefined && { because }) };
}
