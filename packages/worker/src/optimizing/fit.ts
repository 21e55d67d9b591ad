import { hostOf, type FittedPipeline } from '@autoflow/optimizer';
import { leftOf, stepMs, usedUp } from './budget.js';
import { rowsOf, type Gathered } from './gather.js';
import { askWithin, found, goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';

/** Fits the twin, and stops where it cannot be trusted. */
export async function fitTwin(ports: OptimizingPorts, job: Job): Promise<Outcome> {
  const { pipeline, request } = job.row;
  const gathered = await found<Gathered>(ports, job, 'gather');
  const { version, shape, observedMs } = gathered;
  const rows = await rowsOf(ports, pipeline, gathered.release, gathered);
  const { spec, running } = await runningOf(ports, pipeline, gathered);
  const measured = {
    spec,
    rows,
    host: hostOf(rows, request.cores ?? ports.cores),
    running: { ...running, version, measured: gathered.measured, observedMs, ...(shape && { shape }) },
  };
  const left = leftOf(job.row);
  const answer = await askWithin<'fit'>(ports, job, { kind: 'fit', measured }, stepMs(left));
  if (answer === undefined) return { decision: stop('BUDGET', `Keep ${gathered.version}: ${usedUp(left, 'by the fit')}.`) };
  const { fitted } = answer;
  if ('refused' in fitted) return { decision: stop(fitted.refused, fitted.reasons.join(' ')) };
  return { document: fitted.fitted, decision: goOn(described(fitted.fitted)) };
}

/** The version that was stable when the window was closed, with the allocation that it has. */
export async function runningOf({ store: { definitions } }: OptimizingPorts, pipeline: string, { version, release }: Gathered) {
  const [row, allocation, code] = await Promise.all([
    definitions.version(pipeline, version),
    definitions.allocation(pipeline, version),
    definitions.release(pipeline, release),
  ]);
  const { topology, envelope } = row!;
  return { spec: code!.spec, running: { topology, envelope, allocation: allocation!.stages } };
}

function described({ error, saturated }: FittedPipeline): string {
  const percent = (share: number | undefined): string =>
    share === undefined ? 'unknown' : `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(0)} %`;
  const p95 = saturated ? 'it was measured at saturation, where latency is not compared' : `p95 ${percent(error.p95)}`;
  return `The twin misses the running version's cost by ${percent(error.costPer1000)}, its throughput by ${percent(error.throughput)}; ${p95}.`;
}
