/** What every benchmark answers: figures beside their bars, printed, and kept as JSON that a document may quote. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem, release } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Bar {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** The figure must be at most (`<=`) or at least (`>=`) this. */
  readonly bar: number;
  readonly must: '<=' | '>=';
  /** 95 %. */
  readonly interval?: readonly [number, number];
}

export interface BenchReport {
  readonly bars: readonly Bar[];
  /** Everything measured, both sides, per repetition. */
  readonly figures: object;
  /** What this benchmark does not measure. */
  readonly notMeasured: readonly string[];
}

/** What lies in the JSON. */
export interface BenchDocument extends Omit<BenchReport, 'bars' | 'figures'> {
  readonly name: string;
  readonly quick: boolean;
  readonly at: string;
  readonly machine: {
    readonly cores: number;
    readonly cpu?: string;
    readonly memoryGb: number;
    readonly os: string;
    readonly node: string;
  };
  readonly bars: readonly (Bar & { readonly holds: boolean })[];
  readonly figures: unknown;
}

/** What could not be told does not hold: NaN, which comes back from JSON as null. */
export const holds = ({ figure, must, bar }: Bar): boolean => Number.isFinite(figure) && (must === '<=' ? figure <= bar : figure >= bar);

export function barLine(bar: Bar, isHeld = holds(bar)): string {
  const within = bar.interval === undefined ? '' : ` (${format(bar.interval[0])} to ${format(bar.interval[1])})`;
  return `${bar.name}: ${format(bar.figure)} ${bar.unit}${within} (bar ${bar.must} ${format(bar.bar)}) ${isHeld ? 'holds' : 'falls short'}`;
}

export const machine = () => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  os: release(),
  node: process.version,
});

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));
const pathOf = (name: string, quick: boolean): string => `${RESULTS}${name}${quick ? '.quick' : ''}.json`;

/** Writes `test/results/NAME.json`; a quick run says so and goes to `NAME.quick.json`, so that it never replaces a full one. */
export async function writeReport(name: string, report: BenchReport, quick: boolean): Promise<string> {
  await mkdir(RESULTS, { recursive: true });
  const path = pathOf(name, quick);
  const bars = report.bars.map((bar) => ({ ...bar, holds: holds(bar) }));
  await writeFile(
    path,
    `${JSON.stringify({ name, quick, at: new Date().toISOString(), machine: machine(), bars, notMeasured: report.notMeasured, figures: report.figures }, null, 2)}\n`,
  );
  return path;
}

/** What `writeReport` left last. */
export async function readReport(name: string, quick: boolean): Promise<BenchDocument | undefined> {
  const path = pathOf(name, quick);
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as BenchDocument) : undefined;
}

/** Reads the JSON back, so that what stands beside it can be made again from it at any time. */
export async function writeRendered(
  path: string,
  render: (document: BenchDocument) => { readonly [ending: string]: string },
): Promise<string[]> {
  const rendered = render(JSON.parse(await readFile(path, 'utf8')) as BenchDocument);
  const files = Object.entries(rendered).map(([ending, text]) => [path.replace(/\.json$/, `.${ending}`), text] as const);
  for (const [file, text] of files) await writeFile(file, text);
  return files.map(([file]) => file);
}

/** In JSON a number that is none is null. */
function format(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return 'unknown';
  return Math.abs(n) >= 100 ? n.toFixed(0) : n.toPrecision(3);
}
