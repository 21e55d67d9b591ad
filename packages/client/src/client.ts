import type * as api from './schemas/index.js';
import type { Health } from './schemas/health.js';
import { followEvents, type FollowOptions } from './event-stream.js';
import { createStreams, createTransport, path, type ClientOptions, type Revision } from './transport.js';

export type AutoFlowClient = ReturnType<typeof createClient>;

/** Megabytes over a slow line. */
const UPLOAD_WITHIN_MS = 300_000;

interface Page {
  readonly limit?: number;
  readonly cursor?: string;
}
/** With the values of sensitive fields: takes an admin, and is in the audit log. */
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

export interface AuditFilter {
  readonly pipeline?: string;
  /** One, such as `stable.set`, or what they begin with, such as `token`. */
  readonly action?: string;
  readonly actor?: string;
  /** `1h`, or a time. */
  readonly since?: string;
}
export interface LetterQuery {
  /** Default: `open`. */
  readonly state?: 'open' | 'redriven' | 'discarded' | 'past' | 'any';
  readonly scope?: string;
  readonly code?: string;
  readonly stage?: string;
  readonly version?: string;
  readonly release?: string;
  readonly since?: string;
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
      list: (of?: Page) => call<{ items: api.PipelineSummary[]; next?: string }>('/pipelines', { query: page(of) }),
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
      /** The same release again changes nothing. */
      upload: (body: api.UploadRelease) =>
        call<api.UploadedRelease>(path`/releases/${body.manifest.hash}`, { method: 'PUT', body, timeoutMs: UPLOAD_WITHIN_MS }),
      deploy: (pipeline: string, body: api.DeployRelease) =>
        call<api.Deployment>(path`/pipelines/${pipeline}/releases`, { method: 'POST', body }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.ReleaseSummary[]; next?: string }>(path`/pipelines/${pipeline}/releases`, { query: page(of) }),
      show: (pipeline: string, hash: string) => call<api.Release>(path`/pipelines/${pipeline}/releases/${hash}`),
    },

    versions: {
      register: (pipeline: string, body: api.NewVersion) =>
        call<api.Registered>(path`/pipelines/${pipeline}/versions`, { method: 'POST', body }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.Version[]; next?: string }>(path`/pipelines/${pipeline}/versions`, { query: page(of) }),
      show: (pipeline: string, version: string) => call<api.VersionDetail>(path`/pipelines/${pipeline}/versions/${version}`),
      certificate: (pipeline: string, version: string) =>
        call<api.VersionCertificate>(path`/pipelines/${pipeline}/versions/${version}/certificate`),
      diff: (pipeline: string, from: string, to: string) => call<api.VersionDiff>(path`/pipelines/${pipeline}/versions/${from}/diff/${to}`),
    },

    stable: {
      show: (pipeline: string) => call<api.Stable>(path`/pipelines/${pipeline}/stable`),
      /** Every execution started after this resolves gets the version; those under way end on theirs, or with `inFlight: 'abort'` are taken back. */
      set: (pipeline: string, body: api.SetStable, ifMatch: Revision) =>
        call<api.StableSet>(path`/pipelines/${pipeline}/stable`, { method: 'PUT', body, ifMatch }),
    },

    allocations: {
      /** Who decides, why, and the latest decisions. */
      control: (pipeline: string, decisions?: number) =>
        call<api.AllocationControl>(path`/pipelines/${pipeline}/allocations/control`, { query: { decisions } }),
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
      /** Without bounds, the clamp is lifted. */
      clamp: (pipeline: string, stage: string, body: api.ClampStage, ifMatch: Revision, version?: string) =>
        call<api.VersionAllocation>(path`/pipelines/${pipeline}/allocations/${stage}/clamp`, {
          method: 'PUT',
          body,
          ifMatch,
          query: { version },
        }),
    },

    arms: {
      show: (pipeline: string) => call<api.Arms>(path`/pipelines/${pipeline}/arms`),
      /** What is left out gets no traffic. */
      set: (pipeline: string, body: api.SetArms, ifMatch: Revision) =>
        call<api.Arms>(path`/pipelines/${pipeline}/arms`, { method: 'PUT', body, ifMatch }),
      /** Paused, records are accepted and wait; what is under way goes on. */
      setFeeding: (pipeline: string, body: api.SetFeeding, ifMatch: Revision) =>
        call<api.Arms>(path`/pipelines/${pipeline}/feeding`, { method: 'PUT', body, ifMatch }),
    },

    settings: {
      show: (pipeline: string) => call<api.OperationSettings>(path`/pipelines/${pipeline}/settings`),
      /** What is left out stays; null takes it away. */
      change: (pipeline: string, body: api.ChangeSettings, ifMatch: Revision) =>
        call<api.OperationSettings>(path`/pipelines/${pipeline}`, { method: 'PATCH', body, ifMatch }),
    },

    tokens: {
      list: (of?: Page) => call<api.TokenPage>('/tokens', { query: page(of) }),
      show: (name: string) => call<api.Token>(path`/tokens/${name}`),
      /** The only answer that has the token. */
      create: (body: api.NewToken) => call<api.IssuedToken>('/tokens', { method: 'POST', body }),
      rotate: (name: string, body: api.RotateToken) => call<api.IssuedToken>(`${path`/tokens/${name}`}:rotate`, { method: 'POST', body }),
      revoke: (name: string, reason: string) => call<api.Token>(`${path`/tokens/${name}`}:revoke`, { method: 'POST', body: { reason } }),
    },

    backfills: {
      /** With an `idempotencyKey`, the same call again answers the backfill that is there. */
      start: (pipeline: string, body: api.NewBackfill, { idempotencyKey }: { readonly idempotencyKey?: string } = {}) =>
        call<api.Backfill>(path`/pipelines/${pipeline}/backfills`, {
          method: 'POST',
          body,
          ...(idempotencyKey !== undefined && { idempotencyKey }),
        }),
      /** Reads the source and estimates; starts nothing. */
      dryRun: (pipeline: string, body: api.NewBackfill) =>
        call<api.BackfillDryRun>(path`/pipelines/${pipeline}/backfills`, { method: 'POST', body: { ...body, dryRun: true } }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.Backfill[]; next?: string }>(path`/pipelines/${pipeline}/backfills`, { query: page(of) }),
      show: (pipeline: string, id: string) => call<api.Backfill>(path`/pipelines/${pipeline}/backfills/${id}`),
      pause: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'pause', reason),
      resume: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'resume', reason),
      cancel: (pipeline: string, id: string, reason?: string) => act(pipeline, id, 'cancel', reason),
    },

    optimizations: {
      /** Begins one, and answers at once; `show` tells how far it is. */
      start: (pipeline: string, body: api.OptimizationQuestion) =>
        call<api.Optimization>(path`/pipelines/${pipeline}/optimizations`, { method: 'POST', body }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.Optimization[]; next?: string }>(path`/pipelines/${pipeline}/optimizations`, { query: page(of) }),
      show: (pipeline: string, id: string) => call<api.OptimizationDetail>(path`/pipelines/${pipeline}/optimizations/${id}`),
      cancel: (pipeline: string, id: string, reason?: string) =>
        call<api.Optimization>(`${path`/pipelines/${pipeline}/optimizations/${id}`}:cancel`, {
          method: 'POST',
          body: reason === undefined ? {} : { reason },
        }),
    },

    /** Of topologies, retrained on the pipeline's own history. */
    scorers: {
      retrain: (pipeline: string, body: api.NewScorer = {}) =>
        call<api.Scorer>(path`/pipelines/${pipeline}/scorers`, { method: 'POST', body }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.Scorer[]; next?: string }>(path`/pipelines/${pipeline}/scorers`, { query: page(of) }),
      show: (pipeline: string, id: string) => call<api.Scorer>(path`/pipelines/${pipeline}/scorers/${id}`),
    },

    /** Of the resource agent. */
    trainings: {
      list: (of?: Page) => call<{ items: api.Training[]; next?: string }>('/trainings', { query: page(of) }),
      /** With the reward curve. */
      show: (id: string) => call<api.TrainingDetail>(path`/trainings/${id}`),
      /** Of its best version. */
      parameters: (id: string) => call<api.TrainedParameters>(path`/trainings/${id}/parameters`),
    },

    rollouts: {
      /** One at a time per pipeline; `show` tells how far it is. */
      start: (pipeline: string, body: api.NewRollout) => call<api.Rollout>(path`/pipelines/${pipeline}/rollouts`, { method: 'POST', body }),
      list: (pipeline: string, of?: Page) =>
        call<{ items: api.Rollout[]; next?: string }>(path`/pipelines/${pipeline}/rollouts`, { query: page(of) }),
      show: (pipeline: string, id: string) => call<api.RolloutDetail>(path`/pipelines/${pipeline}/rollouts/${id}`),
      pause: (pipeline: string, id: string, reason?: string) => steer(pipeline, id, 'pause', reason),
      resume: (pipeline: string, id: string, reason?: string) => steer(pipeline, id, 'resume', reason),
      /** Takes the traffic of the candidate back. */
      abort: (pipeline: string, id: string, reason?: string) => steer(pipeline, id, 'abort', reason),
      /** Makes the candidate stable, whatever is shown so far. */
      promote: (pipeline: string, id: string, reason?: string) => steer(pipeline, id, 'promote', reason),
      /** Takes the traffic of the candidate back, and marks it as rolled back: AutoFlow does not roll it out by itself again. */
      rollBack: (pipeline: string, id: string, body: api.RollBackRollout = {}) =>
        call<api.RolledBack>(`${path`/pipelines/${pipeline}/rollouts/${id}`}:roll-back`, { method: 'POST', body }),
    },

    /** Against the holdout. */
    savings: (pipeline: string, { since }: { readonly since?: string } = {}) =>
      call<api.Savings>(path`/pipelines/${pipeline}/savings`, { query: { since } }),

    calibrations: {
      start: (pipeline: string, body: api.NewCalibration = {}) =>
        call<api.Calibration>(path`/pipelines/${pipeline}/calibrations`, { method: 'POST', body }),
      show: (pipeline: string, id: string) => call<api.Calibration>(path`/pipelines/${pipeline}/calibrations/${id}`),
    },

    deadLetters: {
      list: (pipeline: string, filter: Page & LetterQuery = {}) =>
        call<api.DeadLetterPage>(path`/pipelines/${pipeline}/dead-letters`, { query: { ...filter } }),
      groups: (pipeline: string, filter: { readonly limit?: number } & LetterQuery = {}) =>
        call<api.DeadLetterGroups>(path`/pipelines/${pipeline}/dead-letters/groups`, { query: { ...filter } }),
      redrive: (pipeline: string, id: string, body: { readonly to?: 'latest' | 'original'; readonly reason: string }) =>
        call<api.DeadLetter>(`${path`/pipelines/${pipeline}/dead-letters/${id}`}:redrive`, { method: 'POST', body }),
      discard: (pipeline: string, id: string, reason: string) =>
        call<api.DeadLetter>(`${path`/pipelines/${pipeline}/dead-letters/${id}`}:discard`, { method: 'POST', body: { reason } }),
      /** At most `limit` at a time: call again while `remaining` is above zero. */
      redriveMany: (pipeline: string, body: api.RedriveMany) =>
        call<api.LettersSettled>(`${path`/pipelines/${pipeline}/dead-letters`}:redrive`, { method: 'POST', body }),
      discardMany: (pipeline: string, body: api.DiscardMany) =>
        call<api.LettersSettled>(`${path`/pipelines/${pipeline}/dead-letters`}:discard`, { method: 'POST', body }),
      show: (pipeline: string, id: string, { reveal }: Reveal = {}) =>
        call<api.DeadLetter>(path`/pipelines/${pipeline}/dead-letters/${id}`, { query: { reveal: reveal && 'true' } }),
    },

    /** The processes of the fleet that are alive. */
    hosts: () => call<api.HostList>('/hosts'),

    audit: (filter: Page & AuditFilter = {}) => call<api.AuditPage>('/audit', { query: { ...filter } }),

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
      remove: (id: string, reason?: string) => call<api.RemovedWebhook>(path`/webhooks/${id}`, { method: 'DELETE', query: { reason } }),
    },

    health: {
      live: () => call<Health>('/health/live'),
      ready: () => call<Health>('/health/ready'),
    },
  };

  function steer(
    pipeline: string,
    id: string,
    action: 'pause' | 'resume' | 'abort' | 'promote',
    reason: string | undefined,
  ): Promise<api.Rollout> {
    return call(`${path`/pipelines/${pipeline}/rollouts/${id}`}:${action}`, {
      method: 'POST',
      body: reason === undefined ? {} : { reason },
    });
  }

  function act(pipeline: string, id: string, action: 'pause' | 'resume' | 'cancel', reason: string | undefined): Promise<api.Backfill> {
    return call(`${path`/pipelines/${pipeline}/backfills/${id}`}:${action}`, {
      method: 'POST',
      body: reason === undefined ? {} : { reason },
    });
  }
}

/** All items of a list, page after page: a list that grows meanwhile may end behind what was asked for first. */
export async function everyItem<Item>(
  list: (page: { cursor?: string }) => Promise<{ readonly items: Item[]; readonly next?: string }>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await list(cursor === undefined ? {} : { cursor });
    all.push(...items);
    if (next === undefined) return all;
    cursor = next;
  }
}
