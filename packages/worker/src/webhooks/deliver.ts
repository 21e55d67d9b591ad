/** Webhooks: every event that one wants reaches its receiver at least once and in order, or the webhook is given up, visibly. */
import type { ClaimedWebhook, EventRow, Store } from '@autoflow/store';
import type { Log } from '../log.js';
import { send } from './send.js';
import { signedHeaders } from './sign.js';

const LOOK_EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;
const LEASE_MS = 30_000;
const PAGE = 100;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60 * 60_000;
const GIVE_UP_MS = 24 * 60 * 60_000;

export interface WebhookOptions {
  readonly allowPrivate?: boolean;
  /** For tests. */
  readonly timeoutMs?: number;
  readonly firstRetryMs?: number;
}
interface Ports {
  readonly store: Pick<Store, 'events' | 'webhooks' | 'listen'>;
  readonly log: Log;
}

/**
 * Any number of processes may do it: each webhook is held by one at a time. Each goes by itself, so that one whose receiver never answers holds
 * up no other one.
 */
export function startWebhooks(ports: Ports, options: WebhookOptions = {}): { close(): Promise<void> } {
  const { store, log } = ports;
  const closed = new AbortController();
  const deliveries = new Set<Promise<void>>();
  let looking: Promise<void> | undefined;

  const deliver = (webhook: ClaimedWebhook) => {
    const delivery = deliverTo(webhook, ports, options, closed.signal)
      .catch((error: unknown) => log('warn', 'delivering to a webhook was broken off', { webhook: webhook.id, error: String(error) }))
      .finally(() => deliveries.delete(delivery));
    deliveries.add(delivery);
  };
  const look = () => {
    if (closed.signal.aborted) return;
    looking ??= store.webhooks
      .claim(LEASE_MS)
      .then((claimed) => claimed.forEach(deliver))
      .catch((error: unknown) => log('warn', 'webhooks cannot be read, and are tried again', { error: String(error) }))
      .finally(() => (looking = undefined));
  };

  const timer = setInterval(look, LOOK_EVERY_MS);
  // Without notifications the look every second remains.
  const listening = store.listen('autoflow_events', look).catch(() => undefined);
  look();
  return {
    close: async () => {
      closed.abort();
      clearInterval(timer);
      await (
        await listening
      )?.();
      await looking;
      await Promise.all(deliveries);
    },
  };
}

/** Goes through the events until there are no more or one is not taken; the lease is renewed with each. */
async function deliverTo(webhook: ClaimedWebhook, { store, log }: Ports, options: WebhookOptions, closed: AbortSignal): Promise<void> {
  const { firstRetryMs = FIRST_RETRY_MS } = options;
  const { id } = webhook;
  for (let place = webhook.place; ;) {
    const events = await store.events.after(place, PAGE);
    if (events.length === 0 || closed.aborted) return store.webhooks.delivered(id, place, 0, 0);
    for (const event of events.filter((each) => wants(webhook, each))) {
      try {
        await post(webhook, event, options, closed);
      } catch (error) {
        if (closed.aborted) return store.webhooks.delivered(id, place, 0, 0);
        const { message } = error as Error;
        const retryMs = Math.min(firstRetryMs * 2 ** Math.min(attemptsAt(webhook, place), 20), LAST_RETRY_MS);
        const isGivenUp = await store.webhooks.failed(id, message.slice(0, 500), retryMs, GIVE_UP_MS);
        if (isGivenUp) log('warn', 'a webhook was given up: its receiver failed for a day', { webhook: id, error: message });
        return;
      }
      place = event.id;
      await store.webhooks.delivered(id, place, 1, LEASE_MS);
    }
    place = events.at(-1)!.id;
    await store.webhooks.delivered(id, place, 0, LEASE_MS);
  }
}

/** What it had failed before counts for the first event only. */
const attemptsAt = (webhook: ClaimedWebhook, place: string): number => (place === webhook.place ? webhook.attempts : 0);

function wants({ types, pipelines }: ClaimedWebhook, { type, pipeline }: EventRow): boolean {
  return (
    (types === undefined || types.includes(type)) && (pipelines === undefined || (pipeline !== undefined && pipelines.includes(pipeline)))
  );
}

async function post(
  { url, secret }: ClaimedWebhook,
  { id, ...event }: EventRow,
  options: WebhookOptions,
  signal: AbortSignal,
): Promise<void> {
  const { timeoutMs = TIMEOUT_MS, allowPrivate = false } = options;
  const body = JSON.stringify({ id, ...event });
  await send(new URL(url), body, { headers: signedHeaders({ id, body }, secret, new Date()), timeoutMs, allowPrivate, signal });
}
