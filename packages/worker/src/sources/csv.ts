/** Rows of a CSV file with a header, each a record of strings, or grouped: all rows with one value of a column are one record. */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Fields } from '@autoflow/pipeline';
import { SourceError, type Source, type SourceRecord } from './source.js';
import { MAXIMUM_LINE, readText, tooLong } from './text.js';

export interface CsvSettings {
  readonly path: string;
  /** Records are `{[groupBy]: value, rows: [the other columns]}`, wherever in the file the rows stand. */
  readonly groupBy?: string;
  /** Other names for columns. */
  readonly columns?: { readonly [from: string]: string };
}
/** Columns that the pipeline cannot do without. */
export interface Required {
  readonly record: readonly string[];
  readonly row: readonly string[];
}

interface Row {
  readonly values: readonly string[];
  readonly line: number;
}

/** Characters of the rows of groups that are not complete: held in memory until they are. A value counts for what it costs when empty, too. */
const MAXIMUM_UNFINISHED = 256 * 1024 * 1024;
const VALUE_OVERHEAD = 32;

export function csvSource(settings: CsvSettings, required: Required, maximumUnfinished = MAXIMUM_UNFINISHED): Source {
  const { groupBy } = settings;
  return groupBy === undefined ? plain(settings, required) : grouped({ ...settings, groupBy }, required, maximumUnfinished);
}

function plain(settings: CsvSettings, required: Required): Source {
  return {
    async *records(skip) {
      const rows = readRows(settings.path);
      const header = await readHeader(settings, rows, required.record);
      let seen = 0;
      for await (const { values, line } of rows) if (++seen > skip) yield { fields: fieldsOf(header, values), where: `line ${line}` };
    },
    total: async () => undefined,
  };
}

/**
 * A first pass counts the rows of each group; so the second knows when a group is complete, wherever its rows stand, and holds only
 * groups that are not. Memory: one number per group, and the rows of unfinished groups, which are bounded.
 */
function grouped(settings: CsvSettings & { groupBy: string }, required: Required, maximumUnfinished: number): Source {
  const { path, groupBy } = settings;
  let counted: Promise<Map<string, number>> | undefined;
  const sizes = () => (counted ??= countGroups(settings, required));
  return {
    async *records(skip): AsyncGenerator<SourceRecord> {
      const left = new Map(await sizes());
      const pending = new Map<string, { rows: Fields[]; line: number; size: number }>();
      let unfinished = 0;
      const rows = readRows(path);
      const header = await readHeader(settings, rows, [groupBy, ...required.row]);
      const column = header.indexOf(groupBy);
      const others = header.map((name, at) => (at === column ? undefined : name));
      let seen = 0;
      for await (const { values, line } of rows) {
        const group = values[column] ?? '';
        const open = pending.get(group) ?? { rows: [], line, size: 0 };
        if (open.rows.length === 0) pending.set(group, open);
        open.rows.push(fieldsOf(others, values));
        const size = sizeOf(values);
        open.size += size;
        unfinished += size;
        const rest = (left.get(group) ?? 1) - 1;
        left.set(group, rest);
        if (rest > 0) {
          if (unfinished > maximumUnfinished) throw tooScattered(path, line, groupBy, pending.size, maximumUnfinished);
          continue;
        }
        pending.delete(group);
        unfinished -= open.size;
        if (++seen > skip) yield { fields: { [groupBy]: group, rows: open.rows }, where: `line ${open.line}` };
      }
    },
    total: async () => (await sizes()).size,
  };
}

function sizeOf(values: readonly string[]): number {
  return values.reduce((sum, { length }) => sum + length + VALUE_OVERHEAD, 0);
}

function tooScattered(path: string, line: number, groupBy: string, groups: number, maximum: number): SourceError {
  return new SourceError(
    'SOURCE_SCATTERED',
    `at line ${line} of ${path}, ${groups} groups are not complete, and their rows are more than the ${maximum} characters that are held at a time. Sort the file by '${groupBy}', so that the rows of a group stand together.`,
  );
}

async function countGroups(settings: CsvSettings & { groupBy: string }, required: Required): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const rows = readRows(settings.path);
  const header = await readHeader(settings, rows, [settings.groupBy, ...required.row]);
  const column = header.indexOf(settings.groupBy);
  for await (const { values } of rows) {
    const group = values[column] ?? '';
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  return sizes;
}

async function readHeader(settings: CsvSettings, rows: AsyncGenerator<Row>, needed: readonly string[]): Promise<string[]> {
  const { path, columns = {} } = settings;
  const first = await rows.next();
  if (first.done) throw new SourceError('SOURCE_HEADER', `${path} is empty: the first line must name the columns.`);
  const header = first.value.values.map((name) => columns[name] ?? name);
  const missing = [...new Set(needed)].filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw new SourceError(
      'SOURCE_HEADER',
      `the first line of ${path} names ${header.length} columns, but not ${missing.map((name) => `'${name}'`).join(', ')}. Name other columns with 'columns', or give the right file.`,
    );
  return header;
}

async function* readRows(path: string): AsyncGenerator<Row> {
  const parser = parse({ bom: true, info: true, skip_empty_lines: true, max_record_size: MAXIMUM_LINE });
  const text = Readable.from(readText(path), { objectMode: true });
  text.on('error', (error) => parser.destroy(error));
  text.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
      yield { values: record, line: info.lines };
  } catch (error) {
    throw typed(path, error);
  } finally {
    text.destroy();
    parser.destroy();
  }
}

function typed(path: string, error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = error['lines'] as number;
  if (error.code === 'CSV_MAX_RECORD_SIZE') return tooLong(path, line);
  // The parser's own message quotes what it stumbled over.
  return new SourceError('SOURCE_ROW', `${path} is not well-formed CSV at line ${line}: ${WRONG[error.code] ?? error.code}.`);
}

const WRONG: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'the row has another number of columns than the first line',
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quoted value goes on after its closing quote',
  INVALID_OPENING_QUOTE: 'there is a quote within a value that is not quoted',
};

function fieldsOf(header: readonly (string | undefined)[], values: readonly string[]): Fields {
  const fields: Record<string, string> = {};
  for (const [at, name] of header.entries()) if (name !== undefined) fields[name] = values[at] ?? '';
  return fields;
}
