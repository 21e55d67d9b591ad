import { hostOf, type OptimizerProtocol, type Retrained as Answer, type ScorerError } from '@autoflow/optimizer';
import type { CurrentScorer, Store } from '@autoflow/store';
import type { RetrainingReport, RetrainingRequest } from '@autoflow/topology';
import { refuse } from '../errors.js';
import { startChild, type AskedChild } from '../learning/asked-child.js';
import { rowsOf } from './gather.js';
import type { OptimizingPorts } from './job.js';

export type RetrainingPorts = Pick<OptimizingPorts, 'program' | 'cores'> & {
  readonly store: Pick<Store, 'definitions' | 'metrics' | 'scorers'>;
};

type Retrained = Exclude<Answer, { readonly refused: string }>;

const SINCE_MS = 30 * 24 * 3_600_000;
const STRETCH_MS = 60_000;
/** Fewer tell no p95. */
const FEWEST_RECORDS = 20;
const MOST_STRETCHES = 2_000;

/**
 * Trains the scorer further on what the versions of the stable release did, and writes it with its figures, whether or not it is better: only one that
 * is nearer to versions that neither has learned from is used, and only where nobody has replaced the one that it was held against meanwhile. Refuses
 * (`NOT_IDENTIFIABLE`) what tells too little.
 */
export async function retrain(request: RetrainingRequest, ports: RetrainingPorts, signal: AbortSignal): Promise<RetrainingReport> {
  const { id, pipeline, seed = 1 } = request;
  const { scorers } = ports.store;
  const before = await scorers.get(id);
  if (before !== undefined) return { id, kept: before.kept, reason: before.reason };
  const { release, ...measured } = await measuredOf(request, ports);
  const current = await scorers.current(pipeline, release);
  const { retrained } = await asked(ports, signal, { kind: 'retrain', ...measured, seed, ...(current && usedNow(current)) });
  if ('refused' in retrained) throw refuse('NOT_IDENTIFIABLE', retrained.reason);
  const { better, heldOut, model, ...about } = retrained;
  const reason = `On ${heldOut.versions.join(', ')}, which neither has learned from, it is ${better ? 'nearer' : 'no nearer'} to what was measured than ${current?.id ?? 'the one that comes with AutoFlow'}: off by ${percent(heldOut.retrained)} instead of ${percent(heldOut.current)} in the mean.`;
  const row = await scorers.add({
    ...{ id, pipeline, release, kept: better, reason, file: model, ...(current && { base: current.id }) },
    about: { ...about, heldOut, base: current?.id ?? 'pretrained' },
  });
  return { id, kept: row.kept, reason: row.reason };
}

/** With the versions that it has seen, as they were written when it was made. */
const usedNow = ({ file, about }: CurrentScorer) => ({ scorer: file, learnedFrom: about['learnedFrom'] as Retrained['learnedFrom'] });

/** Of the logarithm: a factor. */
const percent = ({ all }: ScorerError): string => `${Math.round(100 * (Math.exp(all) - 1))} %`;

/** Of the stable release: another one's functions are others. */
async function measuredOf({ pipeline, sinceMs = SINCE_MS, stretchMs = STRETCH_MS }: RetrainingRequest, ports: RetrainingPorts) {
  const { definitions, scorers } = ports.store;
  const known = await definitions.pipeline(pipeline);
  if (known === undefined) throw refuse('UNKNOWN_PIPELINE', `there is no pipeline '${pipeline}'`);
  const { release } = known.stable;
  const to = new Date();
  const [code, rows, found] = await Promise.all([
    definitions.release(pipeline, release),
    rowsOf(ports, pipeline, release, { until: to.toISOString() }),
    scorers.history({
      ...{ pipeline, release, stretchMs, fewestRecords: FEWEST_RECORDS, limit: MOST_STRETCHES, to },
      from: new Date(to.getTime() - sinceMs),
    }),
  ]);
  const { spec } = code!;
  const stretches = found.map(({ at: _, records: __, ...stretch }) => stretch);
  return { release, measured: { spec, rows, host: hostOf(rows, ports.cores) }, stretches };
}

/** A process of its own, which a cancellation ends. */
async function asked({ program }: RetrainingPorts, signal: AbortSignal, request: OptimizerProtocol['retrain']['request']) {
  signal.throwIfAborted();
  const child: AskedChild<OptimizerProtocol> = startChild(program);
  const kill = (): void => void child.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await child.ask<'retrain'>(request);
  } finally {
    signal.removeEventListener('abort', kill);
    await child.kill();
  }
}
