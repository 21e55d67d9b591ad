/** From `autoflow deploy` being typed to the first invocation on the new release, while records of the example stream in. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRunningStack, type RunningStack } from '@autoflow/cli';
import { samples } from '@autoflow/retail-orders';
import { openStore, type Store } from '@autoflow/store';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

const AUTOFLOW = fileURLToPath(new URL('../bin/autoflow.mjs', import.meta.resolve('@autoflow/cli')));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const PIPELINE = 'retail-orders';
/** One per execution in eight stages: two cores do about six of them in a second. Near that, a release waits behind the backlog, whatever a deploy takes. */
const RECORDS_PER_SECOND = 2;
const BAR_MS = 3_000;

interface Deployed {
  /** From the start of the command; milliseconds. */
  readonly answeredMs: number;
  readonly firstInvocationMs: number;
}

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const deploys = quick ? 3 : 20;
  const sources = await mkdtemp(join(tmpdir(), 'autoflow-bench-deploy-'));
  await symlink(MODULES, join(sources, 'node_modules'));
  const stack = await startRunningStack({ mode: 'ephemeral', name: 'bench', log: () => {} });
  const store = await openStore({ connectionString: stack.databaseUrl, maxConnections: 2 });
  const traffic = stream(stack);
  try {
    await untilInvoked(store, 'v1');
    progress('the first release runs');
    const measured: Deployed[] = [];
    let running = 'v1';
    for (let edit = 1; edit <= deploys; edit++) {
      await untilSettled(stack, running);
      const { version, ...times } = await deploy(edit, sources, stack, store);
      measured.push(times);
      running = version;
      const { answeredMs, firstInvocationMs } = times;
      progress(`deploy ${edit}: answered after ${answeredMs.toFixed(0)} ms, first invocation after ${firstInvocationMs.toFixed(0)} ms`);
    }
    const submitted = await traffic.stop();
    const times = measured.map(({ firstInvocationMs }) => firstInvocationMs);
    const lost = await unfinished(stack, submitted);
    return {
      bars: [
        { name: `deploy to first invocation, median of ${deploys}`, figure: median(times), unit: 'ms', bar: BAR_MS, must: '<=' },
        { name: `deploy to first invocation, slowest of ${deploys}`, figure: Math.max(...times), unit: 'ms', bar: BAR_MS, must: '<=' },
        { name: 'records without an outcome', figure: lost, unit: 'records', bar: 0, must: '<=' },
      ],
      figures: { deploys: measured, records: submitted, recordsPerSecond: RECORDS_PER_SECOND },
      notMeasured: [
        'a control plane and hosts on other machines',
        'bundles larger than the example',
        'deploys in a row: each begins when the pools of the version before are gone',
      ],
    };
  } finally {
    await traffic.stop();
    await store.close();
    await stack.stop();
    await rm(sources, { recursive: true });
  }
}

/** A new release of the example each time: its wiring and its functions are the same, its bundle is another. */
async function deploy(
  edit: number,
  sources: string,
  { api, token }: RunningStack,
  store: Store,
): Promise<Deployed & { readonly version: string }> {
  const module = join(sources, 'pipeline.ts');
  await writeFile(module, `export { retailOrders } from '@autoflow/retail-orders/pipeline';\nexport const edit = ${edit};\n`);
  const startedAt = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, [AUTOFLOW, 'deploy', module, '--api', api, '--token', token, '--json']);
  const answeredMs = Date.now() - startedAt;
  const { pipelines } = JSON.parse(stdout) as { pipelines: [{ version: { name: string } }] };
  const version = pipelines[0].version.name;
  return { answeredMs, firstInvocationMs: (await untilInvoked(store, version)) - startedAt, version };
}

/** When the first invocation of a version began. Its row comes later: what is waited here is not what is measured. */
async function untilInvoked(store: Store, version: string): Promise<number> {
  for (;;) {
    const rows = await store.metrics.invocations({ pipeline: PIPELINE, version, limit: 100 });
    if (rows.length > 0) return Math.min(...rows.map(({ startedAt }) => startedAt.getTime()));
    await delay(100);
  }
}

/** Invoices at a steady rate; `stop` answers how many. */
function stream({ ingestClient }: RunningStack): { stop(): Promise<number> } {
  let stopped = false;
  let submitted = 0;
  const running = (async () => {
    while (!stopped) {
      const sample = samples[submitted % samples.length]!;
      await ingestClient.records.submit(PIPELINE, { ...sample, InvoiceNo: `bench-${submitted++}` });
      await delay(1000 / RECORDS_PER_SECOND);
    }
    return submitted;
  })();
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

/** What a deploy holds up is not added to what the next one takes: nothing waits, and hosts have pools of what runs only. */
async function untilSettled(stack: RunningStack, version: string): Promise<void> {
  const older = async () => (await stack.client.hosts()).items.flatMap(({ pools }) => pools).some((pool) => pool.version !== version);
  while ((await older()) || (await inState(stack, 'waiting')) > 0) await delay(250);
}

async function unfinished(stack: RunningStack, submitted: number): Promise<number> {
  const left = async () => (await inState(stack, 'waiting')) + (await inState(stack, 'running'));
  for (let tries = 0; tries < 300 && (await left()) > 0; tries++) await delay(100);
  return Math.min(await left(), submitted);
}

async function inState({ ingestClient }: RunningStack, state: 'waiting' | 'running'): Promise<number> {
  return (await ingestClient.records.list(PIPELINE, { state, limit: 100 })).items.length;
}
