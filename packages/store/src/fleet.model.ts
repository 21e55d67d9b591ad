/** Rows and port of the fleet: who is alive, and how the limits that hold for all are divided (decision 7). */
import type { DividedLimit } from '@autoflow/topology';
import type { Enforcement } from './metering.model.js';

/** A host that has not been heard of for so long is gone, by the database's clock: its shares go to the others. */
export const LEASE_MS = 3_500;

/** What a process says of itself. */
export interface HostIdentity {
  /** Unique in the fleet. */
  readonly host: string;
  /** UUID of this process: the next one of the same name has another. */
  readonly incarnation: string;
  readonly roles: readonly string[];
  /** Of the program. */
  readonly version: string;
  /** How memory is enforced, where functions run. */
  readonly enforcement?: Enforcement;
  /** How many executions may be open, by pipeline and room (`roomOf`), where it feeds. */
  readonly bounds?: { readonly [pipeline: string]: { readonly [room: string]: number } };
}

/** What a host holds of a limit that the fleet divides, and whether it wants a part of it further on. */
export interface ShareClaim {
  /** The same on every host. */
  readonly name: string;
  /** What it may be using at this moment: never less. */
  readonly held: number;
  /** Undefined: it only ends what it has begun. `whole`: the limit is in instances; else it is a rate. */
  readonly want?: Pick<DividedLimit, 'limit' | 'whole' | 'deal'>;
}

export interface HostRow extends HostIdentity {
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Acknowledged pools, with the host's share of the stage's instances. */
  readonly pools: readonly {
    readonly pipeline: string;
    readonly version: string;
    readonly stage: string;
    readonly memoryMb: number;
    readonly concurrency: number;
    readonly instances: number;
  }[];
}

export interface Renewal {
  /** How much of each limit the host may use until its lease is over. */
  readonly grants: ReadonlyMap<string, number>;
  /** Until the first lease of another host is over, unless it is renewed; undefined when there is no other. */
  readonly nextEndMs?: number;
}

export interface FleetStore {
  /**
   * Renews the lease of a host (the first time: joins it), and divides the limits that it claims a part of. What all live
   * hosts hold of a limit never exceeds it: a larger share is granted when the others have said that they hold less, have left, or are
   * without a lease. Where a limit itself was lowered, hosts are told so one by one. Throws `HostTakenError` while another process has the name.
   */
  beat(host: HostIdentity, claims: readonly ShareClaim[]): Promise<Renewal>;
  /** Ends the lease at once. A host without one is left alone. */
  leave(host: Pick<HostIdentity, 'host' | 'incarnation'>): Promise<void>;
  /** Those with a lease, by name. */
  hosts(): Promise<HostRow[]>;
}
