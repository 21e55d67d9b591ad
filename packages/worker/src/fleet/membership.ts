/** The lease by which a process belongs to the fleet. */
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { singleFlight, type ShareDivider, type ShareHolder } from '@autoflow/function-host';
import { LEASE_MS, type HostIdentity, type Store } from '@autoflow/store';
import type { Log } from '../log.js';

const BEAT_MS = 1_000;
/** Less than the lease, which begins when the database writes it: later than when we asked. */
const OWN_LEASE_MS = LEASE_MS - 100;
/** A predecessor of the same name that was killed keeps it until its lease is over. */
const JOIN_WITHIN_MS = 2 * LEASE_MS;

export interface Membership extends ShareDivider {
  /** Shown with the host from the next renewal on. */
  tell(more: Pick<HostIdentity, 'enforcement' | 'bounds'>): void;
  /** Leaves the fleet: the others divide what was ours at once. */
  close(): Promise<void>;
}

/**
 * Joins the fleet, and stays until `close`: renews its lease every second, and divides shared limits whenever another host comes, goes or lets
 * go. While the store is away nobody's lease is renewed; whoever holds shares stops using them when it is over (`ShareHolder.granted`).
 * Rejects with `HostTakenError` when a process of that name is alive.
 */
export async function joinFleet(
  identity: Omit<HostIdentity, 'incarnation'>,
  { store, log }: { store: Pick<Store, 'fleet' | 'listen'>; log: Log },
): Promise<Membership> {
  let me: HostIdentity = { ...identity, incarnation: randomUUID() };
  let holder: ShareHolder | undefined;
  let trouble: unknown;
  let closed = false;
  let end: NodeJS.Timeout | undefined;

  const beat = async (): Promise<void> => {
    if (closed) return;
    const askedAt = performance.now();
    const claims = holder?.claims() ?? [];
    const { grants, nextEndMs = Infinity } = await store.fleet.beat(me, claims);
    holder?.granted(grants, askedAt + OWN_LEASE_MS);
    // Whoever has not renewed its lease by then is gone, and what was its is divided in that moment.
    clearTimeout(end);
    if (nextEndMs < BEAT_MS) end = setTimeout(() => void renew(), nextEndMs + 1).unref();
    // What was lowered is free for the others as soon as we say so.
    if (claims.some(({ name, held }) => (grants.get(name) ?? held) < held)) void renew();
  };
  const renew = singleFlight(async () => {
    trouble = await beat().then(
      () => undefined,
      (error: unknown) => {
        if (trouble === undefined) log('warn', 'the lease of this host could not be renewed; it is tried again', { error: String(error) });
        return error;
      },
    );
  });

  await untilFree(() => store.fleet.beat(me, []));
  const stopListening = await store
    .listen('autoflow_hosts', (host) => host !== me.host && void renew())
    .catch((error: unknown) => {
      log('warn', 'no notification of hosts that come and go; they are noticed within a second', { error: String(error) });
      return async () => {};
    });
  const timer = setInterval(() => void renew(), BEAT_MS);
  return {
    attach: (given) => void (holder = given),
    tell: (more) => void (me = { ...me, ...more }),
    renew: async () => {
      await renew();
      if (trouble !== undefined) throw trouble;
    },
    close: async () => {
      clearInterval(timer);
      await stopListening();
      closed = true;
      clearTimeout(end);
      // One that is under way would join again.
      await renew();
      await store.fleet
        .leave(me)
        .catch((error: unknown) => log('warn', 'leaving the fleet failed; the lease ends by itself', { error: String(error) }));
    },
  };
}

async function untilFree(join: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + JOIN_WITHIN_MS;
  for (;;) {
    try {
      return void (await join());
    } catch (error) {
      if ((error as { code?: string }).code !== 'HOST_TAKEN' || performance.now() > until) throw error;
      await after(BEAT_MS / 2);
    }
  }
}
