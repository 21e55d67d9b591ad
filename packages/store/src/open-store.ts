import { PUBLISHED_PRICES, type Prices } from '@autoflow/twin';
import { accessStore } from './access.store.js';
import { armsStore } from './arms.store.js';
import { backfillStore } from './backfills.store.js';
import { bundleStore } from './bundles.store.js';
import { controlStore } from './control.store.js';
import { openDatabase, type Log } from './database.js';
import { comparisonStore } from './comparisons.store.js';
import { deadLetterStore } from './dead-letters.store.js';
import { decisionStore } from './decisions.store.js';
import { definitionStore } from './definitions.store.js';
import { fleetStore } from './fleet.store.js';
import { endedRecordsStore } from './ended-records.store.js';
import { eventStore } from './events.store.js';
import { feederStore } from './feeder.store.js';
import { hostStore } from './hosts.store.js';
import { inboxStore } from './inbox.store.js';
import { idempotencyStore } from './idempotency.store.js';
import { batchLedger } from './ledger.store.js';
import { createListener } from './listener.js';
import { meteringStore } from './metering.store.js';
import { metricsStore } from './metrics.store.js';
import { migrations } from './migrations/index.js';
import { migrate } from './migrator.js';
import type { Store } from './model.js';
import { webhookStore } from './webhooks.store.js';
import { optimizationStore } from './optimizations.store.js';
import { pageStore } from './pages.store.js';
import { recordingStore } from './recordings.store.js';
import { rolloutStore } from './rollouts.store.js';
import { savingsStore } from './savings.store.js';
import { scorerStore } from './scorers.store.js';
import { settingsStore } from './settings.store.js';
import { tokenStore } from './tokens.store.js';
import { trainingStore } from './training.store.js';

export interface StoreOptions {
  /** `postgres://user:password@host:port/database`; never appears in a message. */
  readonly connectionString: string;
  /** Default 10. Listening takes one more. */
  readonly maxConnections?: number;
  /** What a statement may take, migrations and reports apart, in milliseconds; default 30,000. */
  readonly statementTimeoutMs?: number;
  readonly log?: Log;
  /** Of Temporal actions, for the cost in `metrics`; what invocations cost is in their rows. Default: the published prices. */
  readonly prices?: Prices;
}

/** Opens the store without touching the schema (`migrate` does). Throws `StoreUnavailableError` when the database does not answer. */
export async function openStore({
  connectionString,
  maxConnections = 10,
  statementTimeoutMs,
  log = () => {},
  prices = PUBLISHED_PRICES,
}: StoreOptions): Promise<Store> {
  const database = openDatabase({ connectionString, maxConnections, ...(statementTimeoutMs !== undefined && { statementTimeoutMs }), log });
  const listener = createListener({ connectionString, log });
  try {
    await database.ping();
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    definitions: definitionStore(database),
    decisions: decisionStore(database),
    bundles: bundleStore(database),
    ledger: batchLedger(database),
    inbox: inboxStore(database),
    arms: armsStore(database),
    feeder: feederStore(database),
    backfills: backfillStore(database),
    metering: meteringStore(database),
    metrics: metricsStore(database, prices),
    ended: endedRecordsStore(database),
    hosts: hostStore(database),
    fleet: fleetStore(database),
    access: accessStore(database),
    events: eventStore(database),
    webhooks: webhookStore(database),
    tokens: tokenStore(database),
    recordings: recordingStore(database),
    settings: settingsStore(database),
    rollouts: rolloutStore(database),
    savings: savingsStore(database),
    comparisons: comparisonStore(database, prices),
    idempotency: idempotencyStore(database),
    deadLetters: deadLetterStore(database),
    pages: pageStore(database),
    trainings: trainingStore(database),
    control: controlStore(database),
    optimizations: optimizationStore(database),
    scorers: scorerStore(database, prices),
    listen: (channel, callback) => listener.listen(channel, callback),
    migrate: () => migrate(database, migrations),
    ping: () => database.ping(),
    close: async () => {
      await listener.close();
      await database.close();
    },
  };
}
