import type { Cold } from './cold.js';

/** Latency and cost of the traffic meanwhile, all versions together where a canary runs. */
export interface Phase {
  readonly name: 'as written' | 'optimizing' | 'rollout';
  readonly records: number;
  readonly p95Ms: number;
  readonly costPer1000?: number;
}

export async function phasesOf(
  { platform: { store, spec } }: Cold,
  at: { readonly began: number; readonly optimizing: number; readonly rolling: number; readonly ended: number },
): Promise<Phase[]> {
  const of = async (name: Phase['name'], from: number, to: number): Promise<Phase[]> => {
    const rows = await store.metrics.metrics({ pipeline: spec.name, by: 'version', from: new Date(from), to: new Date(to) });
    const records = rows.reduce((sum, row) => sum + row.records, 0);
    if (records === 0) return [];
    const usd = rows.reduce((sum, row) => sum + ((row.costPer1000?.all ?? 0) * row.records) / 1000, 0);
    // The slowest version's: an upper bound of that of all together.
    return [{ name, records, p95Ms: Math.max(...rows.map(({ latency }) => latency.p95)), costPer1000: (1000 * usd) / records }];
  };
  return [
    ...(await of('as written', at.began, at.optimizing)),
    ...(await of('optimizing', at.optimizing, at.rolling)),
    ...(await of('rollout', at.rolling, at.ended)),
  ];
}
