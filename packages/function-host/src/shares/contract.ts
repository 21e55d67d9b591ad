import type { ShareClaim } from '@autoflow/store';

/** A host as the fleet sees it: it says what it holds, and keeps to what it is granted. */
export interface ShareHolder {
  claims(): readonly ShareClaim[];
  /** Until that moment (of `performance.now()`); before it there is another, or the holder uses nothing any more. */
  granted(limits: ReadonlyMap<string, number>, until: number): void;
}

/** Divides limits among the hosts of a fleet: asks the holder, and grants, every second and whenever another host comes or goes. */
export interface ShareDivider {
  attach(holder: ShareHolder): void;
  /** Resolves when the holder has been asked and granted anew. Rejects when the store does not answer. */
  renew(): Promise<void>;
}
