import type { MeteringWriter } from '@autoflow/store';
import { spanOfPast } from '@autoflow/telemetry';

type Metering = Pick<MeteringWriter, 'invocation' | 'poolUsage'>;

/**
 * A span for each function of an invocation, within that of its activity. Instances tell how long each took, not when: the spans lie end to
 * end, in the order in which the functions ran.
 */
export function traceFunctions(metering: Metering): Metering {
  return {
    ...metering,
    invocation(row) {
      let at = row.startedAt.getTime() + row.gateMs + row.coldStartMs;
      for (const { node, wallMs, recordsIn, dead } of row.spans) {
        const attributes = { 'autoflow.function': node, 'autoflow.records': recordsIn, 'autoflow.dead': dead };
        spanOfPast(`function ${node}`, at, at + wallMs, attributes);
        at += wallMs;
      }
      metering.invocation(row);
    },
  };
}
