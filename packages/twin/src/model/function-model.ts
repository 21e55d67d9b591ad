import type { NodeSpec } from '@autoflow/pipeline';

/**
 * What one function costs, apart from where it runs: one invocation with n records takes `cpuFixedMs + n·cpuPerRecordMs` of CPU on an
 * unhurried core, waits `ioFixedMs + n·ioPerRecordMs` for others, and needs `memoryMb + n·memoryPerRecordMb` beyond the bare instance.
 * Times in milliseconds, memory in MB; a record is one of the pipeline's, however many children it has.
 */
export interface FunctionModel {
  readonly cpuFixedMs: number;
  readonly cpuPerRecordMs: number;
  readonly ioFixedMs: number;
  readonly ioPerRecordMs: number;
  readonly memoryMb: number;
  readonly memoryPerRecordMb: number;
  /** Coefficient of variation of a whole invocation: one factor for all its records. */
  readonly cv: number;
  /** Coefficient of variation of each record by itself; averages out over a batch. */
  readonly cvPerRecord: number;
  /** Share of the records that goes on; below 1 for a filter. */
  readonly selectivity: number;
  /** Share of the records that dies here. */
  readonly dead: number;
  /** Share of the records that asks to be run again. */
  readonly retry: number;
  /** Bytes that it adds to a record. */
  readonly bytes: number;
}

/** By id of the call, or by name of the function where its calls are alike. */
export type FunctionModels = { readonly [nodeOrFunction: string]: FunctionModel };

/** Costs nothing and drops nothing; the rest is given. */
export function functionModel(given: Partial<FunctionModel> = {}): FunctionModel {
  return { ...NOTHING, ...given };
}

const NOTHING: FunctionModel = {
  cpuFixedMs: 0,
  cpuPerRecordMs: 0,
  ioFixedMs: 0,
  ioPerRecordMs: 0,
  memoryMb: 0,
  memoryPerRecordMb: 0,
  cv: 0,
  cvPerRecord: 0,
  selectivity: 1,
  dead: 0,
  retry: 0,
  bytes: 0,
};

/** The model of a call: its own, else that of its function. */
export function modelOf(models: FunctionModels, { id, name }: Pick<NodeSpec, 'id' | 'name'>): FunctionModel | undefined {
  return own(models, id) ?? own(models, name);
}

function own(models: FunctionModels, name: string): FunctionModel | undefined {
  return Object.hasOwn(models, name) ? models[name] : undefined;
}
