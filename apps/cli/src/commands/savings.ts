import type { Command } from 'commander';
import { withContext } from '../context.js';
import { table } from '../output.js';

export function registerSavings(program: Command): void {
  program
    .command('savings <pipeline>')
    .description('what versions saved or lost against their holdout, per day, with intervals; exploration and optimizations charged')
    .option('--since <span>', 'default 30d')
    .action(
      withContext<{ since?: string }>(async ({ out, client }, { since }, pipeline = '') => {
        const found = await (await client()).savings(pipeline, since === undefined ? {} : { since });
        const rows = found.days.map(({ day, version, against, records, savedUsd, savedMs }) => [
          day,
          `${version} against ${against}`,
          String(records),
          interval(savedUsd, usd),
          interval(savedMs, (ms) => `${ms.toFixed(1)} ms`),
        ]);
        const open = found.days.filter(({ savedUsd }) => (savedUsd?.low ?? null) === null || (savedUsd?.high ?? null) === null).length;
        const { savedUsd, explorationUsd, optimizationUsd, netUsd } = found.total;
        out.answer(found, () =>
          [
            table(['DAY', 'VERSION', 'RECORDS', 'SAVED', 'FASTER BY'], rows, 'No version has a holdout to be compared with.'),
            ...(open > 0 ? [`${open} of them, of which too little is known yet, ${open === 1 ? 'is' : 'are'} not in the sum`] : []),
            `saved ${interval(savedUsd, usd)} · exploration ${usd(explorationUsd)} · optimizations ${usd(optimizationUsd)} · net ${interval(netUsd, usd)}`,
          ].join('\n'),
        );
      }),
    );
}

function interval(
  found: { estimate: number; low: number | null; high: number | null } | undefined,
  show: (value: number) => string,
): string {
  if (found === undefined) return '?';
  const bound = (value: number | null): string => (value === null ? '?' : show(value));
  return `${show(found.estimate)} [${bound(found.low)}, ${bound(found.high)}]`;
}

const usd = (value: number): string => `${value < 0 ? '-' : ''}$${Math.abs(value).toPrecision(3)}`;
