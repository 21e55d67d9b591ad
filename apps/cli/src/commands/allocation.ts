import { setTimeout as delay } from 'node:timers/promises';
import type { AutoFlowClient, VersionAllocation } from '@autoflow/client';
import { type Command, InvalidArgumentError } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { interruption } from '../local/interruption.js';
import { type Output, table } from '../output.js';
import { positive } from './backfill.js';
import { controlLine } from './control.js';

interface SetOptions {
  readonly memory?: number;
  readonly concurrency?: number;
  readonly version?: string;
  readonly reason: string;
}

interface ClampOptions {
  readonly memory?: { readonly min: number; readonly max: number };
  readonly concurrency?: { readonly min: number; readonly max: number };
  readonly off?: true;
  readonly version?: string;
  readonly reason: string;
}

export function registerAllocation(program: Command): void {
  const allocation = program.command('allocation').description('memory and instances per stage');

  allocation
    .command('show <pipeline>')
    .description('desired, permitted, and what the hosts have by now')
    .option('--version <version>', 'default: the stable one')
    .option('--watch', 'again whenever something of it is another, until interrupted; with --json one object per line')
    .action(
      withContext<{ version?: string; watch?: true }>(async ({ out, client }, { version, watch }, pipeline = '') => {
        const api = await client();
        if (watch) return watchAllocation(api, out, pipeline, version);
        const shown = await api.allocations.show(pipeline, version);
        out.answer(shown, () => text(pipeline, shown));
      }),
    );

  allocation
    .command('set <pipeline> <stage>')
    .description('change one stage; the hosts follow while they run')
    .option('--memory <mb>', 'MB per instance', positive)
    .option('--concurrency <n>', 'instances, fleet-wide', positive)
    .option('--version <version>', 'default: the stable one')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<SetOptions>(async ({ out, client }, { memory, concurrency, version, reason }, pipeline = '', stage = '') => {
        if (memory === undefined && concurrency === undefined) throw usage('Give --memory, --concurrency, or both.');
        const api = await client();
        const { revision } = await api.allocations.show(pipeline, version);
        const body = { ...(memory !== undefined && { memoryMb: memory }), ...(concurrency !== undefined && { concurrency }), reason };
        const shown = await api.allocations.setStage(pipeline, stage, body, revision, version);
        out.answer(shown, () => text(pipeline, shown));
      }),
    );

  allocation
    .command('clamp <pipeline> <stage>')
    .description('bound one stage more narrowly than its envelope, for people and AutoFlow alike')
    .option('--memory <mb..mb>', 'MB per instance, such as 256..1024', range)
    .option('--concurrency <n..n>', 'instances, such as 1..20', range)
    .option('--off', 'lift the clamp')
    .option('--version <version>', 'default: the stable one')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<ClampOptions>(async ({ out, client }, { memory, concurrency, off, version, reason }, pipeline = '', stage = '') => {
        if ((memory === undefined && concurrency === undefined) !== (off === true))
          throw usage('Give --memory, --concurrency or both; or --off.');
        const api = await client();
        const { revision } = await api.allocations.show(pipeline, version);
        const body = { ...(memory && { memoryMb: memory }), ...(concurrency && { concurrency }), reason };
        const shown = await api.allocations.clamp(pipeline, stage, body, revision, version);
        out.answer(shown, () => text(pipeline, shown));
      }),
    );
}

const WATCHED_EVERY_MS = 1_000;

/** Allocation, what the hosts have made of it, and who decides. */
async function watchAllocation(api: AutoFlowClient, out: Output, pipeline: string, version: string | undefined): Promise<void> {
  const signal = interruption('watching the allocation', () => undefined);
  for (let last = ''; !signal.aborted; await delay(WATCHED_EVERY_MS, undefined, { signal }).catch(() => undefined)) {
    const [shown, control] = await Promise.all([api.allocations.show(pipeline, version), api.allocations.control(pipeline, 0)]);
    const seen = { ...shown, control };
    const news = JSON.stringify(seen, (key, value: unknown) => (key === 'at' || key === 'updatedAt' ? undefined : value));
    if (news !== last) out.line(seen, () => `${text(pipeline, shown)}\n${controlLine(control)}\n`);
    last = news;
  }
}

function range(text: string): { min: number; max: number } {
  const [, min, max] = /^([1-9]\d*)\.\.([1-9]\d*)$/.exec(text) ?? [];
  if (max === undefined) throw new InvalidArgumentError('It is a range such as 1..20.');
  return { min: Number(min), max: Number(max) };
}

function text(pipeline: string, { version, revision, stages, envelope, clamps, acknowledged, actor, reason }: VersionAllocation): string {
  const clamp = (stage: string) =>
    Object.entries(clamps[stage] ?? {})
      .map(([what, { min, max }]) => `${what === 'memoryMb' ? 'MB' : 'instances'} ${min}..${max}`)
      .join(', ');
  const rows = Object.entries(stages).map(([stage, { memoryMb, concurrency }]) => {
    const { memoryMb: sizes = [], concurrency: bounds } = envelope[stage] ?? {};
    const has = acknowledged.filter((pool) => pool.stage === stage).reduce((sum, pool) => sum + pool.concurrency, 0);
    const running = acknowledged.filter((pool) => pool.stage === stage).reduce((sum, pool) => sum + pool.instances, 0);
    return [stage, memoryMb, sizes.join(' '), concurrency, bounds ? `${bounds.min}..${bounds.max}` : '', clamp(stage), has, running];
  });
  return `${pipeline} ${version} · revision ${revision} by ${actor}: ${reason}\n\n${table(['STAGE', 'MEMORY MB', 'PERMITTED', 'INSTANCES', 'PERMITTED', 'CLAMPED', 'HOSTS ALLOW', 'RUNNING'], rows)}`;
}
