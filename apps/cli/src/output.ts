import { createRequire } from 'node:module';
import type * as CliProgress from 'cli-progress';
import type CliTable from 'cli-table3';
import type { Failure } from './errors.js';

const require = createRequire(import.meta.url);

/** Answers go to stdout, everything else to stderr; with `--json` stdout holds one JSON document and nothing else. */
export interface Output {
  readonly json: boolean;
  /** The answer of a command: the value itself with `--json`, else the text. */
  answer(value: unknown, text: () => string): void;
  /** One of many answers, as it comes: one JSON object per line with `--json`, else a line of text. */
  line<T>(value: T, text: (value: T) => string): void;
  /** On the way, for people. */
  note(line: string): void;
  /** A bar on a terminal; nothing elsewhere. */
  progress(): Progress;
  failure(failure: Failure): void;
}
export interface Progress {
  show(done: number, total: number, text: string): void;
  end(): void;
}

export function createOutput({ json, quiet }: { readonly json: boolean; readonly quiet: boolean }): Output {
  const { stdout, stderr } = process;
  return {
    json,
    answer(value, text) {
      if (json) stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
      else if (!quiet) stdout.write(`${text()}\n`);
    },
    line: (value, text) => void stdout.write(`${json ? JSON.stringify(value) : text(value)}\n`),
    note: (line) => void (json || quiet || stderr.write(`${line}\n`)),
    progress: () => (stderr.isTTY && !json && !quiet ? bar() : { show: () => undefined, end: () => undefined }),
    failure({ json: error, lines }) {
      if (json && error !== undefined) stdout.write(`${JSON.stringify({ error }, undefined, 2)}\n`);
      else stderr.write(`${lines.join('\n')}\n`);
    },
  };
}

/** Loaded where there is a terminal to draw on. */
function bar(): Progress {
  const { SingleBar } = require('cli-progress') as typeof CliProgress;
  const single = new SingleBar({
    format: '{bar} {percentage}% | {value}/{total} | {text}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  let isStarted = false;
  return {
    show(done, total, text) {
      if (!isStarted) single.start(total, done, { text });
      isStarted = true;
      single.setTotal(Math.max(total, 1));
      single.update(done, { text });
    },
    end: () => single.stop(),
  };
}

/** A table without lines: columns stay readable in a log, and greppable. `empty` is said instead of a head without rows. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], empty = '(none)'): string {
  if (rows.length === 0) return empty;
  const blank = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
  };
  const none = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' };
  const Table = require('cli-table3') as typeof CliTable;
  const shown = new Table({
    head: [...head],
    chars: { ...blank, ...none },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  shown.push(...rows.map((row) => row.map(String)));
  return shown
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
