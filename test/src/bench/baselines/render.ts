/** Markdown and SVG of the baselines, from the JSON alone. */
import type { BenchDocument } from '../report.js';
import { median } from '../statistics.js';
import type { Cell, Conditions } from './cell.js';
import { chart, type Series } from '../chart.js';
import type { Standing } from './sweep.js';

interface Figures {
  readonly conditions: Conditions;
  readonly load: string;
  readonly bestBatch: number;
  readonly commonRate: number;
  readonly standings: readonly Standing[];
  readonly compared: readonly Cell[];
}

export function render(document: BenchDocument): { readonly [ending: string]: string } {
  const figures = document.figures as Figures;
  return { md: markdown(document, figures), svg: svg(figures) };
}

function markdown({ quick, at, machine, bars, notMeasured }: BenchDocument, figures: Figures): string {
  const { conditions, load, standings, compared, commonRate, bestBatch } = figures;
  const names = [...new Set(compared.map(({ side }) => side))];
  return [
    `# Baselines${quick ? ' (a quick run: its figures are not to be quoted)' : ''}`,
    `${at.slice(0, 10)}, ${machine.cores} cores (${machine.cpu ?? 'unknown'}), Node ${machine.node}. Load: ${load}. ` +
      `Cells of ${conditions.seconds} s (the first ${conditions.warmUpSeconds} s not counted), ${conditions.repetitions} per rate; service level: p99 ≤ ${conditions.serviceLevelMs} ms from the intended arrival. Made by \`npm run bench -- baselines${quick ? ' --quick' : ''}\`.`,
    '## Saturation',
    table(
      ['side', 'records/s within the service level'],
      standings.map(({ name, batch, saturation }) => [
        `${name}${batch === bestBatch && batch > 1 ? ' (best fixed batch)' : ''}`,
        saturation.toFixed(1),
      ]),
    ),
    `## At the same load: ${commonRate.toFixed(1)} records/s, 70 % of the saturation of the first`,
    table(
      ['side', 'mean', 'p50', 'p95', 'p99', '$ per 1,000', 'without actions', 'busy', 'memory'],
      names.map((name) => {
        const cells = compared.filter(({ side }) => side === name);
        const of = (pick: (cell: Cell) => number | undefined, show: (value: number) => string): string => {
          const values = cells.map(pick).filter((value) => value !== undefined);
          return values.length === 0 ? '–' : show(median(values));
        };
        const ms = (value: number): string => `${value.toFixed(0)} ms`;
        const usd = (value: number): string => `$${value.toPrecision(3)}`;
        const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
        return [
          name,
          of((c) => c.latency?.mean, ms),
          of((c) => c.latency?.p50, ms),
          of((c) => c.latency?.p95, ms),
          of((c) => c.latency?.p99, ms),
          of((c) => c.costPer1000?.all, usd),
          of((c) => c.costPer1000?.withoutActions, usd),
          of((c) => c.utilisation?.instances, share),
          of((c) => c.utilisation?.memory, share),
        ];
      }),
    ),
    '## Bars',
    ...bars.map(
      (bar) =>
        `- ${bar.name}: ${bar.figure.toPrecision(3)} ${bar.unit} (bar ${bar.must} ${bar.bar.toPrecision(3)}): ${bar.holds ? 'holds' : 'falls short'}`,
    ),
    '## Not measured',
    ...notMeasured.map((line) => `- ${line}`),
    '',
  ]
    .join('\n\n')
    .replace(/\n\n- /g, '\n- ');
}

function svg({ standings, conditions }: Figures): string {
  const series = (pick: (cell: Cell) => number | undefined): Series[] =>
    standings.map(({ name, cells }) => ({ name, points: points(cells, pick) }));
  return chart([
    { title: 'Throughput', y: 'records/s', x: 'offered records/s', series: series((c) => c.achievedRate) },
    {
      title: 'Latency, p99',
      y: 'ms',
      x: 'offered records/s',
      series: series((c) => c.latency?.p99),
      line: { at: conditions.serviceLevelMs, name: 'service level' },
    },
    { title: 'Cost per 1,000 records', y: 'US dollars', x: 'offered records/s', series: series((c) => c.costPer1000?.all) },
  ]);
}

/** One point per rate: the median of its repetitions. */
function points(cells: readonly Cell[], pick: (cell: Cell) => number | undefined): { x: number; y: number }[] {
  const rates = [...new Set(cells.map(({ rate }) => rate))];
  return rates.flatMap((rate) => {
    const values = cells
      .filter((cell) => cell.rate === rate)
      .map(pick)
      .filter((value) => value !== undefined);
    return values.length === 0 ? [] : [{ x: rate, y: median(values) }];
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
