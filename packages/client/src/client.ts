import type * as api from './schemas/index.js';
import type { Health } from './schemas/health.js';
import { followEvents, type FollowOptions } from './event-stream.js';
import { createStreams, createTransport, path, type ClientOptions, type Revision } from './transport.js';

export type AutoFlowClient = ReturnType<typeof createClient>;

interface Page {
  readonly limit?: number;
  readonly cursor?: string;
}
/** With the values of sensitive fields: takes an admin, and is told of in an event. */
interface Reveal {
  readonly reveal?: true | undefined;
}
export interface MetricsWindow {
  readonly by?: 'version' | 'stage' | 'function';
  /** `90s`, `15m`, `1h`, `7d`. */
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly version?: string;
  readonly scope?: string;
}

/** A typed client of the control plane. Every call rejects with `ApiError` (the API said no) or `ApiUnreachableError`. */
export function createClient(options: ClientOptions) {
  const call = createTransport(options);
  const stream = createStreams(options);
  const page = ({ limit, cursor }: Page = {}) => ({ limit, cursor });

  return {
    url: options.url,

    pipelines: {
      register: (body: api.RegisterPipeline) => call<api.Registered>('/pipelines', { method: 'POST', body }),
      list: () => call<{ items: api.PipelineSummary[] }>('/pipelines'),
      show: (pipeline: string) => call<api.Pipeline>(path`/pipelines/${pipeline}`),
      graph: (pipeline: string, version?: string) => call<api.Graph>(path`/pipelines/${pipeline}/graph`, { query: { version } }),
      metrics: (pipeline: string, window: MetricsWindow = {}) =>
        call<api.MetricsReport>(path`/pipelines/${pipeline}/metrics`, { query: { ...window } }),
      /** Simulated from what was measured; nothing is changed. */
      whatIf: (pipeline: string, body: api.WhatIfQuestion) =>
        call<api.WhatIf>(path`/pipelines/${pipeline}/what-if`, { method: 'POST', body }),
      digest: (pipeline: string, scope: string) => call<api.ScopeDigest>(path`/pipelines/${pipeline}/digest`, { query: { scope } }),
    },

    releases: {
      list: (pipeline: string) => call<{ items: api.ReleaseSummary[] }>(path`/pipelines/${pipeline}/releases`),
      show: (pipeline: string, hash: string) => call<api.Release>(path`/pipelines/${pipeline}/releases/${hash}`),
    },

    versions: {
      register: (pipeline: string, body: api.NewVersion) =>
        call<api.Registered>(path`/pipelines/${pipeline}/versions`, { method: 'POST', body }),
      list: (pipeline: string) => call<{ items: api.Version[] }>(path`/pipelines/${pipeline}/versions`),
      show: (pipeline: string, version: string) => call<api.Version>(path`/pipelines/${pipeline}/versions/${version}`),
      diff: (pipeline: string, from: string, to: string) => call<api.VersionDiff>(path`/pipelines/${pipeline}/versions/${from}/diff/${to}`),
    },

    stable: {
      show: (pipeline: string) => call<api.Stable>(path`/pipelines/${pipeline}/stable`),
      /** Every execution started after this resolves gets the version; those under way end on theirs. */
      set: (pipeline: string, body: api.SetStable, ifMatch: Revision) =>
        call<api.Stable>(path`/pipelines/${pipeline}/stable`, { method: 'PUT', body, ifMatch }),
    },

    allocations: {
      show: (pipeline: string, version?: string) =>
        call<api.VersionAllocation>(path`/pipelines/${pipeline}/allocations`, { query: { version } }),
      set: (pipeline: string, body: api.SetAllocation, ifMatch: Revision, version?: string) =>
        call<api.VersionAllocation>(path`/pipelines/${pipeline}/allocations`, { method: 'PUT', body, ifMatch, query: { version } }),
      setStage: (pipeline: string, stage: string, body: api.SetStageAllocation, ifMatch: Revision, version?: string) =>
        call<api.VersionAllocation>(path`/pipelines/${pipeline}/allocations/${stage}`, {
          method: 'PUT',
          body,
          ifMatch,
          query: { version },
        }),
    },

    backfills: {
      /** With an `idempotencyKey`, the same call again answers the backfill that is there. */
      start: (pipeline: string, body: api.NewBackfill, { idempotencyKey }: { readonly idempotencyKey?: string } = {}) =>
        call<api.Backfill>(path`/pipelines/${pipeline}/backfills`, {
          method: 'POST',
          body,
          ...(idempotencyKey !== undefined && { idempotencyKey }),
        }),
      list: (pipeline: string, limit?: number) =>
        call<{ items: api.Backfill[] }>(path`/pipelines/${pipeline}/backfills`, { query: { limit } }),
      show: (pipeline: string, id: string) => call<api.Backfill>(path`/pipelines/${pipeline}/backfills/${id}`),
      pause: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'pause', reason),
      resume: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'resume', reason),
      cancel: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'cancel', reason),
    },

    records: {
      list: (pipeline: string, filter: Page & { scope?: string; state?: api.RecordOutcome['state'] } = {}) =>
        call<api.RecordPage>(path`/pipelines/${pipeline}/records`, {
          query: { ...page(filter), scope: filter.scope, state: filter.state },
        }),
      show: (pipeline: string, key: string, scope?: string, { reveal }: Reveal = {}) =>
        call<api.RecordOutcome>(path`/pipelines/${pipeline}/records/${key}`, { query: { scope, reveal: reveal && 'true' } }),
    },

    deadLetters: {
      list: (pipeline: string, filter: Page & { scope?: string; code?: string } = {}) =>
        call<api.DeadLetterPage>(path`/pipelines/${pipeline}/dead-letters`, {
          query: { ...page(filter), scope: filter.scope, code: filter.code },
        }),
      show: (pipeline: string, id: string, { reveal }: Reveal = {}) =>
        call<api.DeadLetter>(path`/pipelines/${pipeline}/dead-letters/${id}`, { query: { reveal: reveal && 'true' } }),
    },

    /** The processes of the fleet that are alive. */
    hosts: () => call<api.HostList>('/hosts'),

    audit: (filter: Page & { pipeline?: string } = {}) =>
      call<api.AuditPage>('/audit', { query: { ...page(filter), pipeline: filter.pipeline } }),

    events: {
      /** Newest first. */
      list: (filter: Page & { pipeline?: string; types?: readonly string[] } = {}) =>
        call<api.EventPage>('/events', { query: { ...page(filter), pipeline: filter.pipeline, types: filter.types?.join(',') } }),
      /** Each event once, in order, from now on or behind the event `after`, until `signal` is aborted; connections that are lost are made again. */
      follow: (options: FollowOptions = {}) =>
        followEvents(
          (last, signal) => stream('/events', { pipeline: options.pipeline, types: options.types?.join(',') }, last, signal),
          options,
        ),
    },

    webhooks: {
      /** The answer holds the secret, this once. */
      create: (body: api.NewWebhook) => call<api.CreatedWebhook>('/webhooks', { method: 'POST', body }),
      list: () => call<{ items: api.Webhook[] }>('/webhooks'),
      show: (id: string) => call<api.Webhook>(path`/webhooks/${id}`),
      remove: (id: string) => call<api.RemovedWebhook>(path`/webhooks/${id}`, { method: 'DELETE' }),
    },

    health: {
      live: () => call<Health>('/health/live'),
      ready: () => call<Health>('/health/ready'),
    },
  };

  function act(pipeline: string, id: string, action: 'pause' | 'resume' | 'cancel', reason: string | undefined): Promise<api.Backfill> {
    return call(`${path`/pipelines/${pipeline}/backfills/${id}`}:${action}`, {
      method: 'POST',
      body: reason === undefined ? {} : { reason },
    });
  }
}
