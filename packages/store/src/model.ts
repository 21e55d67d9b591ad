/** The store as a whole. Its ports are in the `*.model.ts` files beside it, implemented by the `*.store.ts` files; all SQL lives there. */
import type { AccessStore } from './access.model.js';
import type { ArmsStore } from './arms.model.js';
import type { BackfillStore } from './backfills.model.js';
import type { BundleStore } from './bundles.model.js';
import type { ComparisonStore } from './comparisons.model.js';
import type { ControlStore } from './control.model.js';
import type { DeadLetterStore } from './dead-letters.model.js';
import type { DecisionStore } from './decisions.model.js';
import type { DefinitionStore } from './definitions.model.js';
import type { EndedRecordsStore } from './ended-records.model.js';
import type { EventStore, WebhookStore } from './events.model.js';
import type { FeederStore } from './feeder.model.js';
import type { FleetStore } from './fleet.model.js';
import type { HostStore } from './hosts.model.js';
import type { IdempotencyStore } from './idempotency.model.js';
import type { InboxStore } from './inbox.model.js';
import type { BatchLedger } from './ledger.model.js';
import type { MeteringStore } from './metering.model.js';
import type { MetricsStore } from './metrics.model.js';
import type { OptimizationStore } from './optimizations.model.js';
import type { PageStore } from './pages.model.js';
import type { RecordingStore } from './recordings.model.js';
import type { RolloutStore } from './rollouts.model.js';
import type { SavingsStore } from './savings.model.js';
import type { ScorerStore } from './scorers.model.js';
import type { SettingsStore } from './settings.model.js';
import type { TokenStore } from './tokens.model.js';
import type { TrainingStore } from './training.model.js';

/** Channels of LISTEN/NOTIFY; payloads are the pipeline's name. */
export type Channel =
  | 'autoflow_pools'
  | 'autoflow_stable'
  | 'autoflow_backfills'
  | 'autoflow_inbox'
  | 'autoflow_outcomes'
  | 'autoflow_hosts'
  | 'autoflow_settings'
  | 'autoflow_events';

export interface Store {
  readonly definitions: DefinitionStore;
  readonly decisions: DecisionStore;
  readonly bundles: BundleStore;
  readonly ledger: BatchLedger;
  readonly inbox: InboxStore;
  readonly arms: ArmsStore;
  readonly feeder: FeederStore;
  readonly backfills: BackfillStore;
  readonly metering: MeteringStore;
  readonly metrics: MetricsStore;
  readonly ended: EndedRecordsStore;
  readonly hosts: HostStore;
  readonly fleet: FleetStore;
  readonly access: AccessStore;
  readonly events: EventStore;
  readonly webhooks: WebhookStore;
  readonly tokens: TokenStore;
  readonly recordings: RecordingStore;
  readonly settings: SettingsStore;
  readonly rollouts: RolloutStore;
  readonly savings: SavingsStore;
  readonly comparisons: ComparisonStore;
  readonly idempotency: IdempotencyStore;
  readonly deadLetters: DeadLetterStore;
  readonly pages: PageStore;
  readonly trainings: TrainingStore;
  readonly control: ControlStore;
  readonly optimizations: OptimizationStore;
  readonly scorers: ScorerStore;
  /** Calls back on a notification and after every reconnect (something may have been missed). */
  listen(channel: Channel, callback: (payload: string | undefined) => void): Promise<() => Promise<void>>;
  /** Applies outstanding migrations under an advisory lock; refuses a newer schema. */
  migrate(): Promise<{ applied: readonly string[] }>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
