import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Cells that are measured are not measured again when a run that was interrupted is begun anew under the same conditions. */
export class CellBook<Measured> {
  private constructor(
    readonly path: string,
    private readonly conditions: string,
    private readonly cells: Map<string, Measured>,
    private readonly lineOf: (cell: Measured) => string,
  ) {}

  /** `line` tells a cell. What `conditions` do not say alike is measured anew: that holds for the code, too, where its hash is one of them. */
  static async open<Measured>(
    name: string,
    conditions: object,
    line: (cell: Measured) => string,
    folder = fileURLToPath(new URL('../../../results/', import.meta.url)),
  ): Promise<CellBook<Measured>> {
    const path = join(folder, `${name}.partial.json`);
    const text = JSON.stringify(conditions);
    const found = await readBook<Measured>(path);
    return new CellBook(path, text, new Map(found?.conditions === text ? found.cells : []), line);
  }

  get size(): number {
    return this.cells.size;
  }

  has(name: string): boolean {
    return this.cells.has(name);
  }

  /** A name stands for one kind of cell. */
  async take<One extends Measured>(name: string, measure: () => Promise<One>, progress: (line: string) => void): Promise<One> {
    const known = this.cells.get(name);
    if (known !== undefined) return known as One;
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
