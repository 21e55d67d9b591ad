import type { HostModel } from '../model/host-model.js';
import { fitTemporal } from './fit-temporal.js';
import { medianOf, robustLine } from './line.js';
import type { MeteredInvocation } from './rows.js';

const FEWEST_ROWS = 20;

/** The host with what the rows tell of it: the cost of an invocation beside its functions, cold starts, and Temporal. */
export function fitHost(rows: readonly MeteredInvocation[], host: HostModel): { readonly host: HostModel; readonly temporalTold: boolean } {
  if (rows.length < FEWEST_ROWS) return { host, temporalTold: false };
  const { temporal, told } = fitTemporal(rows, host);
  const cold = rows.flatMap(({ coldStartMs }) => (coldStartMs > 0 ? [coldStartMs] : []));
  return {
    host: { ...host, ...overhead(rows, host), coldStartMs: cold.length >= 3 ? medianOf(cold) : host.coldStartMs, temporal },
    temporalTold: told,
  };
}

/** What the functions of an invocation do not account for: fixed, and by the bytes that it reads and writes. */
function overhead(rows: readonly MeteredInvocation[], host: HostModel): Pick<HostModel, 'invocation' | 'serialisationMsPerKb'> {
  const kb = rows.map(({ bytesIn, bytesOut }) => (bytesIn + bytesOut) / 1024);
  const cpu = rows.map(({ cpuMs, spans }) => Math.max(0, cpuMs - spans.reduce((sum, span) => sum + span.cpuMs, 0)));
  const io = rows.map(({ durationMs, cpuMs, runQueueMs, spans }, i) => {
    const walls = spans.reduce((sum, span) => sum + span.wallMs, 0);
    const waited = cpuMs > 0 ? (runQueueMs * cpu[i]!) / cpuMs : 0;
    return Math.max(0, durationMs - walls - cpu[i]! - waited);
  });
  const told = Math.max(...kb) > 0 && Math.max(...kb) >= 2 * Math.min(...kb);
  const line = told ? robustLine(kb, cpu) : undefined;
  const perKb = line?.slope ?? host.serialisationMsPerKb;
  return {
    invocation: { cpuMs: line?.intercept ?? Math.max(0, medianOf(cpu) - perKb * medianOf(kb)), ioMs: medianOf(io) },
    serialisationMsPerKb: perKb,
  };
}
