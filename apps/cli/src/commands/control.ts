import type { AllocationControl, ChangeSettings } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { changed, milliseconds } from './autonomy.js';
import { positive } from './backfill.js';

interface ControlOptions {
  readonly interval?: number;
  readonly instances?: number;
  readonly lateCost?: number;
  readonly decisions: number;
  readonly reason?: string;
}

const MODES = ['off', 'shadow', 'auto'] as const;

export function registerControl(program: Command): void {
  program
    .command('control <pipeline> [mode]')
    .description('who sets memory and instances while it runs: off, shadow (decided and shown only) or auto; without a mode, how it stands')
    .option('--interval <span>', 'between two decisions, such as 15s', milliseconds)
    .option('--instances <n>', 'of all stages together, at most', positive)
    .option('--late-cost <n>', 'what a late record costs, in memory that the mean load keeps busy for an interval', positive)
    .option('--decisions <n>', 'show the latest so many', positive, 3)
    .option('--reason <text>', 'for the audit log; needed to change something')
    .action(
      withContext<ControlOptions>(async ({ out, client }, options, pipeline = '', mode) => {
        const api = await client();
        const change = changeOf(options, mode);
        if (change !== undefined) {
          const { control = { mode: 'shadow' } } = await api.settings.show(pipeline);
          await changed(api, pipeline, { control: { ...control, ...change } }, options.reason);
        }
        const control = await api.allocations.control(pipeline, options.decisions);
        out.answer(control, () => controlText(control));
      }),
    );
}

function changeOf(
  { interval, instances, lateCost }: ControlOptions,
  given: string | undefined,
): Partial<NonNullable<ChangeSettings['control']>> | undefined {
  const mode = MODES.find((known) => known === given);
  if (given !== undefined && mode === undefined) throw usage(`Control is one of ${MODES.join(', ')}, not ${given}.`);
  const change = {
    ...(mode !== undefined && { mode }),
    ...(interval !== undefined && { intervalMs: interval }),
    ...(instances !== undefined && { instances }),
    ...(lateCost !== undefined && { lateCost }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Also below `allocation show --watch`. */
export function controlLine({ setting, mode, why, running }: AllocationControl): string {
  return `control ${setting.mode} · ${mode}${running ? '' : ' (no controller runs)'}: ${why}`;
}

function controlText(control: AllocationControl): string {
  const { pipeline, comparisons, decisions } = control;
  const latest = comparisons.at(-1);
  return [
    `${pipeline} ${controlLine(control)}`,
    latest === undefined
      ? 'agent and fallback were not compared yet'
      : `in the twin, on ${latest.intervals} intervals until ${when(latest.at)}: agent ${latest.agent.score.toFixed(2)}, fallback ${latest.fallback.score.toFixed(2)} (lower is better); ${control.agentStands ? 'the agent stands' : 'the fallback stands'}`,
    ...decisions.flatMap((decision) => [
      '',
      `${when(decision.at)} ${decision.version} ${decision.mode}${decision.revision === undefined ? '' : ` · set as revision ${decision.revision}`}${decision.refused === undefined ? '' : ` · refused: ${decision.refused}`}`,
      table(
        ['STAGE', 'NOW', 'WANTED', 'FALLBACK', 'MB', 'CAME', 'WAIT', 'BUSY', 'WHY'],
        Object.entries(decision.stages).map(([stage, { now, wanted, fallback, reason, seen }]) => [
          stage,
          now.concurrency,
          wanted.concurrency,
          fallback.concurrency,
          now.memoryMb === wanted.memoryMb ? now.memoryMb : `${now.memoryMb} → ${wanted.memoryMb}`,
          seen.arrivals.toFixed(1),
          seen.queued.toFixed(1),
          `${(100 * seen.busy).toFixed(0)} %`,
          reason,
        ]),
      ),
    ]),
  ].join('\n');
}
