import { functionModel, type FunctionModel, type FunctionModels } from '../model/function-model.js';
import { memoryPressure, fits, type HostModel } from '../model/host-model.js';
import { fitHost } from './fit-host.js';
import { medianOf, robustLine, type Line } from './line.js';
import { stageMemory, type StageMemory } from './memory.js';
import { areSeveralSizes } from './sizes.js';
import { recordBytesOf } from './record-bytes.js';
import { samplesOf, soundRows, type MeteredInvocation, type Sample } from './rows.js';
import { spreadOf } from './spread.js';

/** What keeps something from being told, and what to do about it. */
export interface FitProblem {
  readonly code:
    'TOO_FEW_ROWS' | 'ONE_BATCH_SIZE' | 'ONE_MEMORY_SIZE' | 'FEW_MEMORY_SIZES' | 'TEMPORAL_ASSUMED' | 'CONTRADICTORY' | 'NOT_NUMBERS';
  /** Undefined: it concerns all. */
  readonly function?: string;
  readonly message: string;
}

export interface FittedFunction {
  readonly model: FunctionModel;
  /** Records per invocation for which the model holds: with one batch size, fixed and per-record costs cannot be told apart. */
  readonly holdsFor: 'any' | { readonly records: number };
  readonly standardErrors: Pick<FunctionModel, 'cpuFixedMs' | 'cpuPerRecordMs' | 'ioFixedMs' | 'ioPerRecordMs' | 'selectivity'>;
  readonly rows: number;
}

export interface Fit {
  readonly functions: { readonly [node: string]: FittedFunction };
  readonly host: HostModel;
  /** Bytes of a record as it comes. */
  readonly recordBytes: number;
  readonly problems: readonly FitProblem[];
}

/** Fewer say nothing about a spread, and little about a mean. */
const FEWEST_ROWS = 20;
/** At the lesser end of the batch sizes. */
const FEWEST_PROBES = 3;
/** Versions of one function that differ by more are not measurements of one thing. */
const DISAGREEMENT = 2.5;

/**
 * Models of the functions in these rows, whichever versions and stages they ran in, so that a plan which never ran can be predicted.
 * What the rows cannot tell is said in `problems`, with what to do; a function about which they tell nothing has no entry.
 * I/O is wall time less CPU less the wait for a core; fixed and per-record costs come from a robust line over the batch sizes, for
 * which the probes of one record are there. `host` is what is known already; what the rows tell of it replaces that.
 */
export function fit(all: readonly MeteredInvocation[], host: HostModel): Fit {
  const { rows, notNumbers, contradictory } = soundRows(all);
  const live = rows.filter(({ calibration }) => calibration !== true);
  const memory = stageMemory(rows, host);
  const samples = samplesOf(rows);
  const sizes = [...new Set(rows.map(({ memoryMb }) => memoryMb))].sort((a, b) => a - b);
  const pressure = sizes.length >= 3 ? fittedPressure([...samples.values()]) : undefined;
  const known = { ...host, pressure: pressure ?? host.pressure };
  const fitted = [...samples].map(([node, own]) => fitFunction(node, own, memory.get(node), known));
  const { host: around, temporalTold } = fitHost(live, known);
  return {
    functions: Object.fromEntries(fitted.flatMap(({ node, fitted: one }) => (one ? [[node, one]] : []))),
    host: around,
    recordBytes: recordBytesOf(live),
    problems: [
      ...rowProblems(all.length, rows.length, notNumbers, contradictory),
      ...(pressure === undefined && sizes.length > 0 ? [assumedPressure(sizes)] : []),
      ...(live.length > 0 && !temporalTold ? [assumedTemporal(around.temporal)] : []),
      ...fitted.flatMap(({ problems }) => problems),
    ],
  };
}

/**
 * The models that hold for batches of so many records, and what is missing for the others. `as-measured`: for the topology that was measured, where every
 * stage is given what it was given, however many records that are.
 */
export function modelsFor(
  { functions, problems }: Fit,
  nodes: readonly string[],
  batchRecords: number | 'as-measured',
): { readonly models: FunctionModels; readonly missing: readonly FitProblem[] } {
  const models: { [node: string]: FunctionModel } = {};
  const missing: FitProblem[] = [];
  for (const node of nodes) {
    const own = Object.hasOwn(functions, node) ? functions[node] : undefined;
    const holds = batchRecords === 'as-measured' || own?.holdsFor === 'any' || own?.holdsFor.records === batchRecords;
    if (own !== undefined && holds) models[node] = own.model;
    else
      missing.push(...(problems.filter((problem) => problem.function === node) as FitProblem[]), ...(own ? [] : neverRun(node, problems)));
  }
  return { models, missing };
}

function neverRun(node: string, problems: readonly FitProblem[]): FitProblem[] {
  if (problems.some((problem) => problem.function === node)) return [];
  return [{ code: 'TOO_FEW_ROWS', function: node, message: `'${node}' was never measured. Run it, or calibrate it (autoflow calibrate).` }];
}

interface Attempted {
  readonly node: string;
  readonly fitted?: FittedFunction;
  readonly problems: readonly FitProblem[];
}

function fitFunction(node: string, samples: readonly Sample[], memory: StageMemory | undefined, host: HostModel): Attempted {
  if (samples.length < FEWEST_ROWS)
    return {
      node,
      problems: [
        {
          code: 'TOO_FEW_ROWS',
          function: node,
          message: `'${node}' has ${samples.length} usable measurements, and ${FEWEST_ROWS} are the least. Let it run, or calibrate it (autoflow calibrate).`,
        },
      ],
    };
  const n = samples.map(({ records }) => records);
  const cpu = robustLine(
    n,
    samples.map((sample) => sample.cpuMs / pressureOf(sample, host)),
  );
  const io = robustLine(
    n,
    samples.map(({ ioMs }) => ioMs),
  );
  const batch = oneBatchSize(node, n);
  const disagreement = disagreeing(node, samples, cpu, io);
  const fixed = cpu.intercept + io.intercept;
  const perRecord = cpu.slope + io.slope;
  const times = samples.map((sample) => ({ records: sample.records, ms: sample.cpuMs / pressureOf(sample, host) + sample.ioMs }));
  const counts = countsOf(samples);
  const model = functionModel({
    cpuFixedMs: cpu.intercept,
    cpuPerRecordMs: cpu.slope,
    ioFixedMs: io.intercept,
    ioPerRecordMs: io.slope,
    memoryMb: memory?.memoryMb ?? 0,
    memoryPerRecordMb: memory?.memoryPerRecordMb ?? 0,
    bytes: memory?.bytes ?? 0,
    ...spreadOf(times, fixed, perRecord),
    ...counts.shares,
  });
  const unknownMemory = batch === undefined && memory?.tellsRecords === false ? memoryUntold(node, Math.max(...n)) : undefined;
  const constant = batch === undefined ? Math.max(...n) : Math.round(medianOf(n));
  return {
    node,
    fitted: {
      model,
      holdsFor: batch === undefined && unknownMemory === undefined ? 'any' : { records: constant },
      standardErrors: { ...errorsOf(cpu, io), selectivity: counts.selectivityError },
      rows: samples.length,
    },
    problems: [batch, unknownMemory, disagreement].filter((problem) => problem !== undefined),
  };
}

function errorsOf(cpu: Line, io: Line): Omit<FittedFunction['standardErrors'], 'selectivity'> {
  return {
    cpuFixedMs: cpu.interceptError,
    cpuPerRecordMs: cpu.slopeError,
    ioFixedMs: io.interceptError,
    ioPerRecordMs: io.slopeError,
  };
}

function countsOf(samples: readonly Sample[]): {
  readonly shares: Pick<FunctionModel, 'selectivity' | 'dead' | 'retry'>;
  readonly selectivityError: number;
} {
  const sum = (of: (sample: Sample) => number): number => samples.reduce((total, sample) => total + of(sample), 0);
  const records = sum((sample) => sample.records);
  const retried = sum((sample) => sample.retried);
  const dead = sum((sample) => sample.dead);
  const answered = records - retried;
  const judged = answered - dead;
  const selectivity = judged > 0 ? 1 - sum((sample) => sample.filtered) / judged : 1;
  return {
    shares: { selectivity, dead: answered > 0 ? dead / answered : 0, retry: retried / records },
    selectivityError: judged > 0 ? Math.sqrt((selectivity * (1 - selectivity)) / judged) : 0,
  };
}

function oneBatchSize(node: string, n: readonly number[]): FitProblem | undefined {
  if (areSeveralSizes(n, FEWEST_PROBES)) return undefined;
  const [least, most] = [Math.min(...n), Math.max(...n)];
  return {
    code: 'ONE_BATCH_SIZE',
    function: node,
    message: `'${node}' ran with ${least === most ? least : `${least} to ${most}`} records at a time, so its fixed cost cannot be told from its cost per record. Let the feeder send probes of one record, or calibrate it with other batch sizes.`,
  };
}

function memoryUntold(node: string, most: number): FitProblem {
  return {
    code: 'ONE_BATCH_SIZE',
    function: node,
    message: `every stage with '${node}' ran with one number of records at a time, ${most} at most, so what memory a record needs cannot be told. Let the feeder send probes of one record, or calibrate it with other batch sizes.`,
  };
}

function disagreeing(node: string, samples: readonly Sample[], cpu: Line, io: Line): FitProblem | undefined {
  const ratios = new Map<string, number[]>();
  for (const { version, records, cpuMs, ioMs } of samples) {
    const expected = cpu.intercept + io.intercept + records * (cpu.slope + io.slope);
    const list = ratios.get(version) ?? [];
    ratios.set(version, list);
    if (expected > 0) list.push((cpuMs + ioMs) / expected);
  }
  const medians = [...ratios]
    .filter(([, list]) => list.length >= FEWEST_ROWS)
    .map(([version, list]) => ({ version, ratio: medianOf(list) }));
  if (medians.length < 2) return undefined;
  const slowest = medians.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const fastest = medians.reduce((a, b) => (b.ratio < a.ratio ? b : a));
  if (slowest.ratio < DISAGREEMENT * fastest.ratio) return undefined;
  return {
    code: 'CONTRADICTORY',
    function: node,
    message: `'${node}' took ${(slowest.ratio / fastest.ratio).toFixed(1)} times as long in ${slowest.version} as in ${fastest.version}, the batch size accounted for. If its code or its data changed, fit from the later rows only.`,
  };
}

function rowProblems(all: number, rows: number, notNumbers: number, contradictory: number): FitProblem[] {
  const problems: FitProblem[] = [];
  if (rows === 0)
    problems.push({
      code: 'TOO_FEW_ROWS',
      message: `none of ${all} measurements can be learned from. Let the pipeline run, or calibrate it (autoflow calibrate).`,
    });
  if (notNumbers > 0)
    problems.push({
      code: 'NOT_NUMBERS',
      message: `${notNumbers} measurements hold values that are no finite numbers; they were left out.`,
    });
  if (contradictory > 0)
    problems.push({
      code: 'CONTRADICTORY',
      message: `${contradictory} measurements contradict themselves (functions that took longer than their invocation, more records out than in); they were left out.`,
    });
  return problems;
}

function assumedPressure(sizes: readonly number[]): FitProblem {
  const what = 'so what another size would do to them is assumed, not measured. Calibrate with at least 3 sizes (autoflow calibrate)';
  if (sizes.length === 1) return { code: 'ONE_MEMORY_SIZE', message: `all ran with ${sizes[0]} MB, ${what}.` };
  const why = sizes.length === 2 ? '' : 'none of them near what is needed, ';
  return { code: 'FEW_MEMORY_SIZES', message: `all ran with ${sizes.join(', ')} MB, ${why}${what}${why && ', one of them small'}.` };
}

function assumedTemporal({ activityMs }: HostModel['temporal']): FitProblem {
  return {
    code: 'TEMPORAL_ASSUMED',
    message: `Temporal was hardly ever busy meanwhile, so what it takes for an activity is assumed (${activityMs.toFixed(0)} ms), not measured: the most that a version can do, and what fewer stages would save, may be told wrongly. Measure under more load.`,
  };
}

function pressureOf({ peakMemoryMb, memoryMb }: Sample, host: HostModel): number {
  return fits(peakMemoryMb, memoryMb) ? memoryPressure(host, peakMemoryMb, memoryMb) : 1;
}

/** κ: how CPU, in units of what the batch size accounts for, grows with h / (m − h). Undefined where that hardly differs. */
function fittedPressure(functions: readonly (readonly Sample[])[]): number | undefined {
  const x: number[] = [];
  const y: number[] = [];
  for (const samples of functions) {
    const usable = samples.filter(({ peakMemoryMb, memoryMb, cpuMs }) => cpuMs > 0 && fits(peakMemoryMb, memoryMb));
    if (usable.length < FEWEST_ROWS) continue;
    const line = robustLine(
      usable.map(({ records }) => records),
      usable.map(({ cpuMs }) => cpuMs),
    );
    for (const { records, cpuMs, peakMemoryMb, memoryMb } of usable) {
      const expected = line.intercept + line.slope * records;
      if (expected <= 0) continue;
      x.push(peakMemoryMb / (memoryMb - peakMemoryMb));
      y.push(cpuMs / expected);
    }
  }
  if (x.length < 3 * FEWEST_ROWS || Math.max(...x) < 2 * Math.min(...x)) return undefined;
  const { intercept, slope } = robustLine(x, y);
  return intercept > 0 ? slope / intercept : undefined;
}
