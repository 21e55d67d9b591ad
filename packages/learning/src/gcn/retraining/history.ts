import type { MeasuredHistory, MeasuredPipeline, MeasuredStretch, Retrained } from '@autoflow/optimizer';
import { fit, modelsFor } from '@autoflow/twin';

/** With the models of its functions, fitted to the invocations; or what these do not tell. */
export function historyOf(
  { spec, rows, host }: Pick<MeasuredPipeline, 'spec' | 'rows' | 'host'>,
  stretches: readonly MeasuredStretch[],
): MeasuredHistory | Extract<Retrained, { readonly refused: string }> {
  const found = fit(rows, host);
  const ids = spec.nodes.map(({ id }) => id);
  const { models, missing } = modelsFor(found, ids, Number.POSITIVE_INFINITY);
  if (missing.length > 0) return { refused: 'NOT_IDENTIFIABLE', reason: [...new Set(missing.map(({ message }) => message))].join(' ') };
  return { spec, models, host: found.host, recordBytes: found.recordBytes, stretches };
}
