/** What the demo says: steps, facts, one moving line of progress on a terminal, and a table. Without a terminal: plain lines. */
export interface Printer {
  step(title: string): void;
  fact(text: string): void;
  /** Replaces the line before on a terminal; elsewhere one line every ten seconds at most. */
  progress(text: string): void;
  table(rows: readonly (readonly string[])[]): void;
  good(text: string): void;
  bad(text: string): void;
}

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const PLAIN_PROGRESS_MS = 10_000;

export function printer(
  sink: Sink,
  { colour = sink.isTTY === true, now = Date.now }: { colour?: boolean; now?: () => number } = {},
): Printer {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let steps = 0;
  let isMoving = false;
  let lastProgress = -Infinity;
  const line = (text: string) => {
    if (isMoving) sink.write('\r\u001b[K');
    isMoving = false;
    sink.write(`${text}\n`);
  };
  return {
    step(title) {
      lastProgress = now();
      line(`\n${paint(1, `${++steps}  ${title}`)}`);
    },
    fact: (text) => line(`   ${text}`),
    progress(text) {
      if (sink.isTTY) {
        isMoving = true;
        sink.write(`\r\u001b[K   ${paint(2, text)}`);
      } else if (now() - lastProgress >= PLAIN_PROGRESS_MS) {
        lastProgress = now();
        line(`   ${text}`);
      }
    },
    table: (rows) => aligned(rows).forEach((row, i) => line(`   ${i === 0 ? paint(1, row) : row}`)),
    good: (text) => line(`   ${paint(32, text)}`),
    bad: (text) => line(`   ${paint(31, text)}`),
  };
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
}
