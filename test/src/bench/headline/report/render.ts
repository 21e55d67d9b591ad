/** Markdown and SVG of the headline, from its JSON alone. */
import { chart, type Series } from '../../chart.js';
import { barLine, type BenchDocument } from '../../report.js';
import { median } from '../../statistics.js';
import { FULL, QUICK } from '../conditions.js';
import type { Cell, Claims, HeadlineFigures } from '../figures.js';
import { coldStartSections } from './cold-start-sections.js';
import { number, percent, shown, table, welchOf } from './table.js';

export function render(document: BenchDocument): { readonly [ending: string]: string } {
  const figures = document.figures as HeadlineFigures;
  return { md: markdown(document, figures), svg: svg(figures) };
}

function markdown({ quick, at, machine, bars, notMeasured }: BenchDocument, figures: HeadlineFigures): string {
  const { conditions, load, missing, code } = figures;
  const usual = (quick ? QUICK : FULL).repetitions;
  return [
    `# The headline${quick ? ' (a quick run)' : ''}${missing.length > 0 ? ' (in part)' : ''}`,
    `${at.slice(0, 10)}, ${machine.cores} cores (${machine.cpu ?? 'unknown'}), Node ${machine.node}, code ${code}. Load: ${load}, through inbox and ` +
      `feeder. Cells of ${conditions.seconds} s (the first ${conditions.warmUpSeconds} s not counted), longer where fewer than ${conditions.fewestRecords} records would come, ${conditions.repetitions} repetitions; service level: p99 ≤ ${conditions.serviceLevelMs} ms from the intended arrival. Made by \`npm run bench -- headline${quick ? ' --quick' : ''}${conditions.repetitions === usual ? '' : ` --repetitions ${conditions.repetitions}`}\`. Ratios are of geometric means with 95 % intervals; Welch's t-test is on the values.`,
    '## Bars',
    ...bars.map((bar) => `- ${barLine(bar, bar.holds)}`),
    '## Losses',
    ...(figures.losses.length === 0 ? ['- none'] : figures.losses.map((line) => `- ${line}`)),
    ...sides(figures),
    ...saturation(figures),
    ...atTheSameLoad(figures),
    ...claims('AutoFlow against', figures.claims),
    ...claims('What batching and fusion alone bring, against the pipeline as written', figures.alone),
    ...varying(figures),
    ...coldStartSections(figures),
    ...predictions(figures),
    ...regression(figures),
    '## Not measured',
    ...notMeasured.map((line) => `- ${line}`),
    ...(missing.length > 0 ? [`- cells without a measurement: ${missing.join('; ')}`] : []),
    '',
  ]
    .join('\n\n')
    .replace(/\n\n- /g, '\n- ')
    .replace(/^(## .*)\n- /gm, '$1\n\n- ');
}

function sides({ sides: all }: HeadlineFigures): string[] {
  return [
    '## Sides',
    table(
      ['side', 'stages', 'batch', 'linger', 'begins with'],
      all.map(({ name, stages, batch, lingerMs, start }) => [
        name,
        stages.join(' → '),
        String(batch),
        `${lingerMs} ms`,
        Object.values(start as Record<string, { memoryMb: number; concurrency: number }>).map(({ memoryMb, concurrency }) => `${concurrency} × ${memoryMb} MB`).join(', '), // prettier-ignore
      ]),
    ),
  ];
}

function saturation({ saturations, capacities }: HeadlineFigures): string[] {
  return [
    '## Throughput',
    table(
      ['side', 'records/s within the service level, by repetition', 'out of a backlog'],
      saturations.map(({ side, perRepetition }) => {
        const backlog = capacities.filter((one) => one.side === side).map(({ perSecond }) => perSecond.toFixed(1));
        return [side, perRepetition.map((value) => value.toFixed(1)).join(', ') || 'not at the lowest rate', backlog.join(', ') || '–'];
      }),
    ),
  ];
}

function atTheSameLoad({ common, commonRate, conditions }: HeadlineFigures): string[] {
  if (commonRate === undefined || common.length === 0) return [];
  return [
    `## At the same load: ${commonRate.toFixed(1)} records/s, ${(100 * conditions.commonShare).toFixed(0)} % of what the pipeline as written sustains`,
    figuresTable(common),
  ];
}

/** Medians of the repetitions. */
export function figuresTable(cells: readonly Cell[]): string {
  return table(
    ['side', 'mean', 'p50', 'p95', 'p99', '$ per 1,000', 'without actions', 'busy', 'memory used', 'MB·s per 1,000', 'in time'],
    [...new Set(cells.map(({ side }) => side))].map((side) => {
      const own = cells.filter((cell) => cell.side === side);
      const of = (pick: (cell: Cell) => number | undefined, show: (value: number) => string): string => {
        const values = own.flatMap((cell) => pick(cell) ?? []);
        return values.length === 0 ? '–' : show(median(values));
      };
      const ms = (value: number): string => `${value.toFixed(0)} ms`;
      const usd = (value: number): string => `$${value.toPrecision(3)}`;
      const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
      return [
        side,
        of(({ latency }) => latency?.mean, ms),
        of(({ latency }) => latency?.p50, ms),
        of(({ latency }) => latency?.p95, ms),
        of(({ latency }) => latency?.p99, ms),
        of(({ costPer1000 }) => costPer1000?.all, usd),
        of(({ costPer1000 }) => costPer1000?.withoutActions, usd),
        of(({ utilisation }) => utilisation?.instances, share),
        of(({ utilisation }) => utilisation?.memory, share),
        of(({ heldMbSPer1000 }) => heldMbSPer1000, number),
        of(({ late }) => 1 - late, share),
      ];
    }),
  );
}

function claims(title: string, all: readonly Claims[]): string[] {
  if (all.length === 0) return [];
  const METRICS = [
    ['throughput', 'throughput'],
    ['mean latency', 'meanLatency'],
    ['p95', 'p95'],
    ['cost', 'cost'],
    ['cost without actions', 'costWithoutActions'],
    ['busy share of the instances', 'utilisation'],
    ['used share of the memory', 'memoryUtilisation'],
  ] as const;
  return [
    `## ${title}`,
    table(
      ['', 'what', 'ratio', 'Welch'],
      all.flatMap((one) => METRICS.map(([what, key], i) => [i === 0 ? one.against : '', what, shown(one[key]), welchOf(one[key])])),
    ),
  ];
}

function varying({ varying: loads, varyingClaims }: HeadlineFigures): string[] {
  return [
    ...loads.flatMap(({ name, about, lag1, peak, cells }) =>
      cells.length === 0
        ? []
        : [
            `## Varying load: ${name}`,
            `${about}; peak ${number(peak)} times the mean of ${cells[0]!.rate.toFixed(1)} records/s, correlation of neighbouring intervals ${lag1.toFixed(2)}.`,
            figuresTable(cells),
          ],
    ),
    ...(varyingClaims.length === 0
      ? []
      : [
          '## AutoFlow under varying load',
          table(
            ['load', 'against', 'cost', 'p95', 'memory-seconds', 'in time'],
            varyingClaims.map(({ load, against, cost, p95, memorySeconds, served }) => [
              load,
              against,
              shown(cost),
              shown(p95),
              shown(memorySeconds),
              shown(served),
            ]),
          ),
        ]),
  ];
}

function predictions({ errors }: HeadlineFigures): string[] {
  if (errors.length === 0) return [];
  return [
    '## Predicted against measured, at the same load',
    table(
      ['side', 'by', 'cost', 'p95', 'throughput'],
      errors.map(({ side, by, costPer1000, p95Ms, throughput }) => [
        side,
        by === 'twin' ? 'the twin' : 'the GCN',
        percent(costPer1000),
        percent(p95Ms),
        percent(throughput),
      ]),
    ),
  ];
}

function regression({ regression: found }: HeadlineFigures): string[] {
  if (found === undefined) return [];
  return [
    '## Execution time on resources',
    `ln of the milliseconds of an invocation, ordinary least squares over ${found.rows} invocations, R² = ${found.r2.toFixed(2)}.`,
    table(
      ['regressor', 'coefficient', '95 %', 'p'],
      found.coefficients.map(({ name, value, halfWidth, p }) => [
        name,
        number(value),
        `± ${number(halfWidth)}`,
        p < 0.001 ? '< 0.001' : p.toFixed(3),
      ]),
    ),
  ];
}

function svg({ rates, common, conditions, coldStarts, predictions: predicted }: HeadlineFigures): string {
  const cells = [...rates, ...common];
  const names = [...new Set(cells.map(({ side }) => side))];
  const series = (pick: (cell: Cell) => number | undefined): Series[] =>
    names.map((name) => ({
      name,
      points: points(
        cells.filter(({ side }) => side === name),
        pick,
      ),
    }));
  const measuredCost = (side: string): number[] =>
    common.filter((cell) => cell.side === side).flatMap(({ costPer1000 }) => costPer1000?.all ?? []);
  const against = (by: 'twin' | 'gcn'): Series['points'] =>
    predicted
      .flatMap((one) => {
        const measured = measuredCost(one.side);
        const said = 'refused' in one ? undefined : one[by];
        return measured.length === 0 || said === undefined ? [] : [{ x: median(measured), y: said.costPer1000 }];
      })
      .sort((a, b) => a.x - b.x);
  return chart([
    { title: 'Throughput', y: 'records/s', x: 'offered records/s', series: series(({ achievedRate }) => achievedRate) },
    {
      title: 'Latency, p95',
      y: 'ms',
      x: 'offered records/s',
      series: series(({ latency }) => latency?.p95),
      line: { at: conditions.serviceLevelMs, name: 'service level (of p99)' },
    },
    { title: 'Cost per 1,000 records', y: 'US dollars', x: 'offered records/s', series: series(({ costPer1000 }) => costPer1000?.all) },
    {
      title: 'Reward curve: cost and lateness, less is better',
      y: 'score',
      x: 'seconds of training',
      series: coldStarts.map(({ rewardCurve }, i) => ({
        name: `agent, cold start ${i + 1}`,
        points: rewardCurve.map(({ seconds, score }) => ({ x: seconds, y: score })),
      })),
    },
    {
      title: 'Cost per 1,000 records: predicted',
      y: 'predicted, US dollars',
      x: 'measured, US dollars',
      series: [
        { name: 'the twin', points: against('twin') },
        { name: 'the GCN', points: against('gcn') },
      ],
    },
  ]);
}

/** One point per rate: the median of its repetitions. */
function points(cells: readonly Cell[], pick: (cell: Cell) => number | undefined): { x: number; y: number }[] {
  return [...new Set(cells.map(({ rate }) => rate))]
    .sort((a, b) => a - b)
    .flatMap((rate) => {
      const values = cells.filter((cell) => cell.rate === rate).flatMap((cell) => pick(cell) ?? []);
      return values.length === 0 ? [] : [{ x: rate, y: median(values) }];
    });
}
