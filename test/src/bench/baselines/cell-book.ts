import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cell } from './cell.js';

/** Cells that are measured are not measured again when a run that was interrupted is begun anew under the same conditions. */
export class CellBook<Measured = Cell> {
  private constructor(
    readonly path: string,
    private readonly conditions: string,
    private readonly cells: Map<string, Measured>,
    private readonly lineOf: (cell: Measured) => string,
  ) {}

  static open(name: string, conditions: object): Promise<CellBook> {
    return CellBook.of(name, conditions, lineOf);
  }

  /** Of cells of another kind, each told by a line. */
  static async of<Measured>(name: string, conditions: object, line: (cell: Measured) => string): Promise<CellBook<Measured>> {
    const path = fileURLToPath(new URL(`../../../results/${name}.partial.json`, import.meta.url));
    const text = JSON.stringify(conditions);
    const found = await readBook<Measured>(path);
    return new CellBook(path, text, new Map(found?.conditions === text ? found.cells : []), line);
  }

  get size(): number {
    return this.cells.size;
  }

  async take(name: string, measure: () => Promise<Measured>, progress: (line: string) => void): Promise<Measured> {
    const known = this.cells.get(name);
    if (known !== undefined) return known;
    const cell = await measure();
    this.cells.set(name, cell);
    await this.save();
    progress(`${name}: ${this.lineOf(cell)}`);
    return cell;
  }

  /** All is measured and lies in the report. */
  async close(): Promise<void> {
    await rm(this.path, { force: true });
  }

  private async save(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    await writeFile(`${this.path}.new`, JSON.stringify({ conditions: this.conditions, cells: [...this.cells] }));
    await rename(`${this.path}.new`, this.path);
  }
}

async function readBook<Measured>(path: string): Promise<{ conditions: string; cells: [string, Measured][] } | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { conditions: string; cells: [string, Measured][] };
  } catch {
    return undefined;
  }
}

function lineOf({ offeredRate, achievedRate, latency, costPer1000, backlog, invalid }: Cell): string {
  const times = latency && `p50 ${latency.p50.toFixed(0)} ms, p99 ${latency.p99.toFixed(0)} ms`;
  const cost = costPer1000 && `$${costPer1000.all.toPrecision(3)} per 1,000`;
  return [`offered ${offeredRate.toFixed(1)}/s, achieved ${achievedRate.toFixed(1)}/s`, times, cost, `backlog ${backlog}`, ...invalid]
    .filter(Boolean)
    .join(' · ');
}
