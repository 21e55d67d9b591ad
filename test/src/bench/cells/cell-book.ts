import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Cells that are measured are not measured again when a run that was interrupted is begun anew under the same conditions. A file of lines, one a cell,
 * each written when it is measured: a kill loses no other one, and books of the same conditions are put together by writing one behind the other.
 */
export class CellBook<Measured> {
  private readonly taken = new Set<string>();

  private constructor(
    readonly path: string,
    private readonly cells: Map<string, Measured>,
    private readonly lineOf: (cell: Measured) => string,
  ) {}

  /** `line` tells a cell. What `conditions` do not say alike has a book of its own: that holds for the code, too, where its hash is one of them. */
  static async open<Measured>(
    name: string,
    conditions: object,
    line: (cell: Measured) => string,
    folder = fileURLToPath(new URL('../../../results/', import.meta.url)),
  ): Promise<CellBook<Measured>> {
    const hash = createHash('sha256').update(JSON.stringify(conditions)).digest('hex').slice(0, 8);
    const path = join(folder, `${name}.${hash}.partial.jsonl`);
    return new CellBook(path, await readBook<Measured>(path), line);
  }

  get size(): number {
    return this.cells.size;
  }

  has(name: string): boolean {
    return this.cells.has(name);
  }

  /** A name stands for one kind of cell. What is answered is what a later run will read. */
  async take<One extends Measured>(name: string, measure: () => Promise<One>, progress: (line: string) => void): Promise<One> {
    this.taken.add(name);
    const known = this.cells.get(name);
    if (known !== undefined) return known as One;
    const text = JSON.stringify([name, await measure()]);
    const [, cell] = JSON.parse(text) as [string, One];
    this.cells.set(name, cell);
    await mkdir(dirname(this.path), { recursive: true });
    // In front of it too: what a kill has cut off ends there.
    await appendFile(this.path, `\n${text}\n`);
    progress(`${name}: ${this.lineOf(cell)}`);
    return cell;
  }

  /** All that was asked for is measured and lies in the report; cells that nobody has asked for are kept. */
  async close(): Promise<void> {
    if (this.taken.size === this.cells.size) await rm(this.path, { force: true });
  }
}

async function readBook<Measured>(path: string): Promise<Map<string, Measured>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return new Map(text.split('\n').flatMap((line) => cellOf<Measured>(line)));
}

/** Nothing of what was cut off, and of empty lines. */
function cellOf<Measured>(line: string): [string, Measured][] {
  try {
    return [JSON.parse(line) as [string, Measured]];
  } catch {
    return [];
  }
}
