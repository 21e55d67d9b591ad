import { createReadStream, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { IngestClient, SubmitCounts, SubmitOptions, SubmitResult } from '@autoflow/client';
import type { Command } from 'commander';
import { type Context, withContext } from '../context.js';
import { BadAnswerError, usage } from '../errors.js';
import { ms } from '../format.js';

interface Options extends SubmitOptions {
  readonly file?: string;
  readonly record?: string;
  readonly key?: string;
  readonly wait?: true;
}

/** Records that are waited for at once. */
const AT_ONCE = 500;
const WAIT_S = 60;
/** Of records that were not taken so many are told. */
const TOLD = 20;

export function registerSubmit(program: Command): void {
  program
    .command('submit <pipeline>')
    .description('send records in; the same again is known by its key')
    .option('--file <file>', 'a .json file with one record or an array, or a .jsonl file (.gz too) with one per line')
    .option('--record <json>', 'one record')
    .option('--key <key>', 'of the one record, where it has none yet')
    .option('--scope <name>', 'keys are unique within a scope')
    .option('--version <version>', 'run with this version, whatever is stable')
    .option('--within <time>', 'linger for others no longer than this, such as 200ms')
    .option('--wait', 'until every record has its outcome')
    .action(withContext<Options>(submit));
}

async function submit(context: Context, options: Options, pipeline = ''): Promise<void> {
  const { file, record, key, wait, ...rest } = options;
  if ((file === undefined) === (record === undefined)) throw usage('Give --file or --record.');
  const isLines = file !== undefined && /\.(jsonl|ndjson)(\.gz)?$/.test(file);
  if (isLines && key !== undefined) throw usage('--key is for one record.');
  const ingest = await context.ingestClient();
  const began = performance.now();
  const results = isLines
    ? wait
      ? awaited(ingest, pipeline, portions(linesOf(file)), rest)
      : ingest.records.submitAll(pipeline, linesOf(file), rest)
    : whole(context, ingest, pipeline, options);
  await report(context, results, began);
}

/** One document: a record or an array of them. */
async function* whole(
  context: Context,
  ingest: IngestClient,
  pipeline: string,
  { file, record, key, wait, ...rest }: Options,
): AsyncGenerator<SubmitResult> {
  const given = parsed(file === undefined ? record! : read(file), file ?? '--record');
  const records = key === undefined ? given : await keyed(context, pipeline, given, key);
  if (wait) return yield* awaited(ingest, pipeline, portions(Array.isArray(records) ? (records as object[]) : [records]), rest);
  yield* (await ingest.records.submit(pipeline, records, rest)).results;
}

/** Sends the same records again until all have their outcomes: what is there is only looked at. */
async function* awaited(
  ingest: IngestClient,
  pipeline: string,
  portions: AsyncIterable<readonly object[]>,
  rest: SubmitOptions,
): AsyncGenerator<SubmitResult> {
  for await (const portion of portions) {
    let { results } = await ingest.records.submit(pipeline, portion, { ...rest, waitS: WAIT_S });
    const first = results.map(({ status }) => status);
    while (results.some(({ status, state }) => (status === 'accepted' || status === 'known') && isOpen(state)))
      ({ results } = await ingest.records.submit(pipeline, portion, { ...rest, waitS: WAIT_S }));
    yield* results.map((result, at) => ({ ...result, status: first[at] ?? result.status }));
  }
}

const isOpen = (state: SubmitResult['state']) => state === 'waiting' || state === 'running';

async function* portions(records: AsyncIterable<object | string> | Iterable<object>): AsyncGenerator<readonly object[]> {
  let portion: object[] = [];
  for await (const record of records) {
    portion.push(typeof record === 'string' ? parsed(record, 'a line of the file') : record);
    if (portion.length < AT_ONCE) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

async function keyed(context: Context, pipeline: string, record: object, key: string): Promise<object> {
  if (Array.isArray(record)) throw usage('--key is for one record.');
  const { spec } = await (await context.client()).pipelines.show(pipeline);
  const own = (record as Record<string, unknown>)[spec.key];
  if (own !== undefined && String(own) !== key) throw usage(`The record has the key ${JSON.stringify(own)} already.`);
  return { ...record, [spec.key]: own ?? key };
}

async function report({ out }: Context, results: AsyncIterable<SubmitResult>, began: number): Promise<void> {
  const counts = { accepted: 0, known: 0, conflict: 0, invalid: 0 };
  const states: Record<string, number> = {};
  const refused: SubmitResult[] = [];
  let last: SubmitResult | undefined;
  const kept: SubmitResult[] = [];
  for await (const result of results) {
    counts[result.status]++;
    if (result.state !== undefined) states[result.state] = (states[result.state] ?? 0) + 1;
    if (result.status === 'conflict' || result.status === 'invalid') refused.push(...(refused.length < TOLD ? [result] : []));
    if (kept.length < AT_ONCE) kept.push(result);
    last = result;
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const time = ms(performance.now() - began);
  out.answer({ counts, states, ...(total <= AT_ONCE ? { results: kept } : { refused }) }, () =>
    [
      total === 1 ? told(last!, time) : summary(counts, states, time),
      ...(total === 1 ? [] : refused.map((result) => told(result, time))),
    ].join('\n'),
  );
  if (counts.conflict + counts.invalid > 0)
    throw new BadAnswerError('RECORDS_REFUSED', `${counts.conflict + counts.invalid} of ${total} records were not taken.`);
}

function told({ key, line, index, status, state, output, filtered, death, errors = [] }: SubmitResult, time: string): string {
  const name = key ?? (line === undefined ? `record ${index}` : `line ${line}`);
  const where = line === undefined || key === undefined ? '' : ` (line ${line})`;
  if (status === 'conflict') return `${name}${where} is there with other content`;
  if (status === 'invalid') return `${name}${where} is not valid: ${errors.map(({ message }) => message).join('; ')}`;
  if (isOpen(state) || state === undefined) return `${name} ${status}`;
  const out = output === undefined ? '' : `  ${JSON.stringify(output)}`;
  const why = filtered ? `  ${filtered.by}: ${filtered.reason}` : death ? `  in ${death.in}: ${death.code}: ${death.message}` : '';
  return `${name} ${state} in ${time}${out}${why}`;
}

function summary({ accepted, known, conflict, invalid }: SubmitCounts, states: Readonly<Record<string, number>>, time: string): string {
  const ended = Object.entries(states).filter(([state]) => state !== 'waiting');
  const more = ended.length === 0 ? '' : ` · ${ended.map(([state, count]) => `${count} ${state}`).join(', ')}`;
  return `${accepted} accepted, ${known} known, ${conflict} in conflict, ${invalid} invalid in ${time}${more}`;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const input = extname(file) === '.gz' ? raw.pipe(createGunzip()) : raw;
  const failed = new Promise<never>((_, reject) => {
    for (const stream of [raw, input]) stream.once('error', (error: Error) => reject(usage(`${file}: ${error.message}`)));
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await Promise.race([lines.next(), failed]);
    if (done) return;
    // An empty line keeps its number for the answer.
    yield value;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${file}: ${(error as Error).message}`);
  }
}

function parsed(text: string, where: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw usage(`${where} is not a JSON object or array.`);
}
