import type { SubmitResult } from '@autoflow/client/schemas';
import { Exposition } from '@autoflow/http';

type Status = SubmitResult['status'];
/** A label is a time series for ever: pipelines beyond these are counted together. */
const MAX_PIPELINES = 100;
const OTHERS = '(others)';

/** What this process has answered since it started. */
export class Counts {
  readonly #records = new Map<string, Map<Status, number>>();
  readonly #full = new Map<string, number>();
  readonly #answers = new Map<number, number>();

  /** Of a pipeline that is there. */
  records(pipeline: string, results: readonly SubmitResult[]): void {
    const name = this.#nameOf(pipeline);
    const counts = this.#records.get(name) ?? new Map<Status, number>();
    this.#records.set(name, counts);
    for (const { status } of results) add(counts, status);
  }

  /** A request, or the rest of a stream, was refused since too many records of the pipeline wait. */
  full(pipeline: string): void {
    add(this.#full, this.#nameOf(pipeline));
  }

  answer(status: number): void {
    add(this.#answers, status);
  }

  toString(): string {
    const out = new Exposition();
    out.gauge('process_resident_memory_bytes', 'Resident memory of ingest.', process.memoryUsage.rss());
    out.gauge('process_uptime_seconds', 'Since ingest started.', process.uptime());
    for (const [pipeline, counts] of this.#records)
      for (const [status, n] of counts)
        out.counter('autoflow_ingest_records_total', 'Records that were answered for, by what was said of them.', n, { pipeline, status });
    for (const [pipeline, n] of this.#full)
      out.counter('autoflow_ingest_backlog_full_total', 'Requests and streams refused since too many records wait.', n, { pipeline });
    for (const [status, n] of this.#answers)
      out.counter('autoflow_ingest_answers_total', 'Requests answered, by HTTP status.', n, { status: String(status) });
    return out.toString();
  }

  #nameOf(pipeline: string): string {
    if (this.#records.has(pipeline) || this.#full.has(pipeline)) return pipeline;
    return Math.max(this.#records.size, this.#full.size) < MAX_PIPELINES ? pipeline : OTHERS;
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
