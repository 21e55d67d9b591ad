import { ApiError } from './api-error.js';
import type * as api from './schemas/index.js';
import type { Health } from './schemas/health.js';
import { createLines, createTransport, path, type ClientOptions } from './transport.js';

export type IngestClient = ReturnType<typeof createIngestClient>;

export interface SubmitOptions {
  /** Default `live`. */
  readonly scope?: string;
  /** Runs with this version, whatever the arms say. */
  readonly version?: string;
  /** How long the records may linger for others, such as `200ms`. */
  readonly within?: string;
}
interface Filter {
  readonly scope?: string;
  readonly state?: api.IngestStateName;
  /** Of filtered records their reason, of dead ones their code. */
  readonly reason?: string;
  /** `1h`, or a time: they had their outcome, or without one arrived, since then. */
  readonly since?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

const PATIENCE_MS = 30_000;

/**
 * A typed client of ingest, the data plane. Every call rejects with `ApiError` (it said no) or `ApiUnreachableError`; submitting the same
 * records again is always safe.
 */
export function createIngestClient(options: ClientOptions) {
  const call = createTransport(options);
  const lines = createLines(options);
  const { timeoutMs = PATIENCE_MS } = options;

  return {
    url: options.url,

    records: {
      /** One record or an array. With `waitS` (at most 60) it answers when all have their outcome, or the time is over. */
      submit: (
        pipeline: string,
        records: object | readonly object[],
        { waitS, ...rest }: SubmitOptions & { readonly waitS?: number } = {},
      ) =>
        call<Required<api.Submission>>(path`/pipelines/${pipeline}/records`, {
          method: 'POST',
          body: records,
          repeatable: true,
          query: { ...rest, ...(waitS !== undefined && { wait: `${waitS}s` }) },
          timeoutMs: timeoutMs + (waitS ?? 0) * 1_000,
        }),
      /** Any number of records, as objects or as lines of JSON, in bounded memory: results come while records still go, one for each, in order. */
      submitAll: (pipeline: string, records: AsyncIterable<object | string> | Iterable<object | string>, rest: SubmitOptions = {}) =>
        results(lines(path`/pipelines/${pipeline}/records`, { ...rest }, linesOf(records))),
      list: (pipeline: string, filter: Filter = {}) =>
        call<api.IngestRecordPage>(path`/pipelines/${pipeline}/records`, { query: { ...filter } }),
      show: (pipeline: string, key: string, scope?: string) =>
        call<api.IngestRecord>(path`/pipelines/${pipeline}/records/${key}`, { query: { scope } }),
      attempts: (pipeline: string, key: string, scope?: string) =>
        call<api.Attempts>(path`/pipelines/${pipeline}/records/${key}/attempts`, { query: { scope } }),
      why: (pipeline: string, key: string, scope?: string) =>
        call<api.Why>(path`/pipelines/${pipeline}/records/${key}/why`, { query: { scope } }),
      cancel: (pipeline: string, key: string, scope?: string, reason?: string) =>
        call<api.IngestRecord>(`${path`/pipelines/${pipeline}/records/${key}`}:cancel`, { method: 'POST', query: { scope, reason } }),
    },

    health: {
      live: () => call<Health>('/health/live'),
      ready: () => call<Health>('/health/ready'),
    },
  };
}

async function* linesOf(records: AsyncIterable<object | string> | Iterable<object | string>): AsyncGenerator<string> {
  for await (const record of records) yield typeof record === 'string' ? record : JSON.stringify(record);
}

/** The last line may be a problem instead: what stopped the records behind it. */
async function* results(lines: AsyncIterable<api.SubmitResult | { readonly problem: api.Problem }>): AsyncGenerator<api.SubmitResult> {
  for await (const line of lines) {
    if ('problem' in line) throw new ApiError(line.problem);
    yield line;
  }
}
