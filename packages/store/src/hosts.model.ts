/** Hosts: desired state and acknowledgement (decision 7). */
import type { LimitedResource } from '@autoflow/topology';

/** One pool that a host must poll. Concurrency 0: poll only (an open execution may still name it). */
export interface DesiredPool {
  readonly pipeline: string;
  readonly version: string;
  readonly release: string;
  readonly stage: string;
  readonly memoryMb: number;
  /**
   * Instances of the stage in the whole fleet, of all memory sizes together: the live hosts divide them (`FleetStore.beat`).
   * A pool that is only kept for open executions has the concurrency of its stage.
   */
  readonly concurrency: number;
  /** What the stage uses that allows only so many users at once in the whole fleet: all stages of all versions of the pipeline together. */
  readonly resources: readonly Pick<LimitedResource, 'name' | 'concurrency'>[];
}
export interface HostStore {
  /** Of stable versions, and of every version and memory class that an open batch names; with the revision it was read at. */
  desiredPools(): Promise<DesiredPool[]>;
  acknowledge(
    host: string,
    pools: readonly {
      pipeline: string;
      version: string;
      stage: string;
      memoryMb: number;
      concurrency: number;
      instances: number;
      allocationRevision?: number;
    }[],
  ): Promise<void>;
  acknowledged(
    pipeline: string,
  ): Promise<{ host: string; version: string; stage: string; memoryMb: number; concurrency: number; instances: number; at: Date }[]>;
}
