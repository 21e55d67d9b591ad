/** What the simulator and the trained scorer say of the sides at the load at which these are measured. */
import { loadBackend, planFeatures, PRETRAINED, readModel, Scorer } from '@autoflow/learning';
import type { FittedPipeline } from '@autoflow/optimizer';
import type { PipelineSpec } from '@autoflow/pipeline';
import { PlanError, planModel, poissonArrivals, replicate, simulate } from '@autoflow/twin';
import type { HeadlineSide } from './side.js';

/** Refused is a plan with less memory than the twin, as it was fitted here, takes it to need. */
export type Prediction = { readonly side: string } & (Predicted | { readonly refused: string });
export interface Predicted {
  readonly twin: PredictedFigures;
  /** Absent where the model or its tensors cannot be used here. */
  readonly gcn?: PredictedFigures;
}
export interface PredictedFigures {
  readonly costPer1000: number;
  readonly p95Ms: number;
  /** Records per second that leave at this load. */
  readonly throughput: number;
}

const RECORDS = 1_500;
const BATCHES = 60;
const REPLICATIONS = 4;

export async function predictionsOf(
  spec: PipelineSpec,
  { models, host, recordBytes }: Pick<FittedPipeline, 'models' | 'host' | 'recordBytes'>,
  sides: readonly HeadlineSide[],
  ratePerSecond: number,
  sloMs: number,
  log: (line: string) => void,
): Promise<Prediction[]> {
  const scorer = await scorerOr(log);
  const predicted = ({ name, version: { topology }, start }: HeadlineSide): Prediction => {
    const model = planModel({ spec, topology, models, host, recordBytes });
    const records = Math.max(RECORDS, BATCHES * model.batchRecords);
    const run = replicate(
      (seed) => simulate(model, start, { arrivals: poissonArrivals(ratePerSecond, records, seed), seed, openExecutions: 'fed' }),
      REPLICATIONS,
    );
    const twin = { costPer1000: run.costPer1000.all.mean, p95Ms: run.latencyMs.p95.mean, throughput: run.throughput.mean };
    const heads = scorer?.heads([planFeatures(model, start, { ratePerSecond, sloMs })]);
    return {
      side: name,
      twin,
      ...(heads && { gcn: { costPer1000: Math.exp(heads[0]!), p95Ms: Math.exp(heads[1]!), throughput: Math.exp(heads[2]!) } }),
    };
  };
  const predictions = sides.map((side) => orRefused(side, predicted));
  scorer?.dispose();
  return predictions;
}

function orRefused(side: HeadlineSide, predicted: (side: HeadlineSide) => Prediction): Prediction {
  try {
    return predicted(side);
  } catch (error) {
    if (!(error instanceof PlanError) || error.code !== 'MEMORY_TOO_SMALL') throw error;
    return { side: side.name, refused: error.message };
  }
}

async function scorerOr(log: (line: string) => void): Promise<Scorer | undefined> {
  try {
    return new Scorer(await loadBackend('native', log), await readModel(PRETRAINED));
  } catch (error) {
    log(`the trained scorer cannot be used here: ${String(error)}`);
    return undefined;
  }
}
