import { Controller, Get, Inject, Res } from '@nestjs/common';
import { Exposition, EXPOSITION_TYPE, Needs, Undocumented } from '@autoflow/http';
import type { MetricsRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import { STORE } from '../ports.js';

const WINDOW_MS = 5 * 60_000;
/** However many scrape, and however often. */
const FRESH_MS = 10_000;
/** A label is a time series for ever: beyond these nothing is shown, and `autoflow_pipelines` says how many there are. */
const MAX_PIPELINES = 100;
const MAX_VERSIONS = 10;

/** For Prometheus, with a viewer's token: this process, and over the last five minutes what each pipeline's versions did. */
@Controller('metrics')
export class PrometheusController {
  #read: { readonly at: number; readonly text: Promise<string> } | undefined;

  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get()
  @Needs('viewer')
  @Undocumented()
  async metrics(@Res() response: Response): Promise<void> {
    if (this.#read === undefined || Date.now() - this.#read.at > FRESH_MS) {
      const text = this.#text();
      this.#read = { at: Date.now(), text };
      text.catch(() => (this.#read = undefined));
    }
    response.type(EXPOSITION_TYPE).send(await this.#read.text);
  }

  async #text(): Promise<string> {
    const pipelines = await this.store.definitions.pipelines();
    const open = new Map<string, number>();
    for (const { pipeline } of await this.store.ledger.openBatches({})) open.set(pipeline, (open.get(pipeline) ?? 0) + 1);
    const out = new Exposition();
    out.gauge('process_resident_memory_bytes', 'Resident memory of the control plane.', process.memoryUsage.rss());
    out.gauge('process_uptime_seconds', 'Since the control plane started.', process.uptime());
    out.gauge('autoflow_pipelines', 'Pipelines that are registered.', pipelines.length);
    out.gauge('autoflow_hosts', 'Worker processes whose lease holds.', (await this.store.fleet.hosts()).length);
    const stranded = (await this.store.feeder.stranded()).reduce((sum, { records }) => sum + records, 0);
    out.gauge('autoflow_stranded_records', 'Records that came by COPY for pipelines that are not there.', stranded);
    const to = new Date();
    const from = new Date(to.getTime() - WINDOW_MS);
    for (const { name: pipeline } of pipelines.slice(0, MAX_PIPELINES)) {
      out.gauge('autoflow_open_executions', 'Batches whose execution has not settled.', open.get(pipeline) ?? 0, { pipeline });
      const { records, bytes, oldestAt } = await this.store.inbox.waiting(pipeline);
      out.gauge('autoflow_inbox_records', 'Records that wait to be fed, without those of backfills.', records, { pipeline });
      out.gauge('autoflow_inbox_bytes', 'Of the records that wait.', bytes, { pipeline });
      const waitedMs = oldestAt === undefined ? 0 : Math.max(0, to.getTime() - oldestAt.getTime());
      out.gauge('autoflow_inbox_oldest_seconds', 'How long the oldest of them has waited; 0 when none waits.', waitedMs / 1000, {
        pipeline,
      });
      const rows = await this.store.metrics.metrics({ pipeline, from, to, by: 'version' });
      for (const row of rows.slice(-MAX_VERSIONS)) addVersion(out, pipeline, row);
    }
    return out.toString();
  }
}

function addVersion(out: Exposition, pipeline: string, { version, records, throughput, latency, errorRate }: MetricsRow): void {
  const labels = { pipeline, version };
  out.gauge('autoflow_records_recent', 'Records that got an outcome in the last 5 minutes.', records, labels);
  out.gauge('autoflow_records_per_second', 'Over the time observed in the last 5 minutes, without the dead.', throughput, labels);
  out.gauge('autoflow_dead_ratio', 'Share of the records of the last 5 minutes that died.', errorRate, labels);
  for (const [quantile, ms] of Object.entries({ '0.5': latency.p50, '0.95': latency.p95, '0.99': latency.p99 }))
    out.gauge('autoflow_latency_seconds', 'From arrival to outcome, of the last 5 minutes.', ms / 1000, { ...labels, quantile });
}
