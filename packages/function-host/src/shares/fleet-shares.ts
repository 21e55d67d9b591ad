import type { DesiredPool, ShareClaim } from '@autoflow/store';
import { Gate } from '../pool/gate.js';
import type { ShareDivider, ShareHolder } from './contract.js';
import { ResourceRate } from './resource-rate.js';
import type { WantedLimit } from './wanted-limits.js';

/** A use of a resource that allows only so many a second. */
export interface LimitedUse {
  readonly resource: string;
  /** Fleet-wide. */
  readonly perSecond: number;
}

/**
 * This host's part of the limits that the fleet divides: one gate per stage and per resource, one rate per resource. When the grant is over, and
 * there is no new one, nothing begins any more; what is under way ends. Without a divider the host has all of every limit.
 */
export class FleetShares implements ShareHolder {
  /** By `pipeline/version/stage` and `pipeline/resource`. */
  readonly #gates = new Map<string, Gate>();
  /** Fleet-wide limits of the gates that are wanted. */
  #wanted: ReadonlyMap<string, WantedLimit> = new Map();
  /** By `pipeline/resource`. */
  readonly #rates = new Map<string, ResourceRate>();
  #until = Infinity;
  #lapse: NodeJS.Timeout | undefined;

  constructor(
    private readonly divider: ShareDivider | undefined,
    /** Called when shares are others than before: `lapsed` when there are none for now. */
    private readonly changed: (lapsed: boolean) => void,
  ) {
    if (divider !== undefined) this.#until = 0;
    divider?.attach(this);
  }

  /** The grant is over: the fleet may have given our shares to others. */
  get lapsed(): boolean {
    return performance.now() >= this.#until;
  }

  /** Of a gate that nobody has asked for yet: closed, until something is granted. */
  gate(key: string): Gate {
    const gate = this.#gates.get(key) ?? new Gate(0, () => !this.lapsed);
    this.#gates.set(key, gate);
    return gate;
  }

  /** How many this host may let in. */
  limitOf(key: string): number {
    return this.#gates.get(key)?.limit ?? 0;
  }

  /** Sets the fleet-wide limits that this host wants its part of. Resolves when it has been granted something of new ones. Never rejects. */
  async want(limits: ReadonlyMap<string, WantedLimit>): Promise<void> {
    const isNew = JSON.stringify([...limits]) !== JSON.stringify([...this.#wanted]);
    this.#wanted = limits;
    for (const [key, { limit }] of limits) {
      const gate = this.gate(key);
      if (this.divider === undefined) gate.setLimit(limit);
    }
    if (isNew) await this.divider?.renew().catch(() => {});
  }

  /** Wants nothing more: what waits is handed back for other hosts, what runs goes on. */
  async resign(): Promise<void> {
    if (this.divider === undefined) return;
    this.#wanted = new Map();
    for (const gate of this.#gates.values()) gate.setLimit(0);
    await this.divider.renew().catch(() => {});
  }

  /** Forgets the gates that no pool on this host uses. What is wanted stays: its share may grow. */
  keep(used: ReadonlySet<string>): void {
    for (const key of this.#gates.keys()) if (!used.has(key) && !this.#wanted.has(key)) this.#gates.delete(key);
  }

  /** Resolves when each of the resources may be used once more; rejects with the signal's reason when it is aborted before. */
  async use(
    { pipeline, release }: Pick<DesiredPool, 'pipeline' | 'release'>,
    uses: readonly LimitedUse[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const { resource, perSecond } of uses) {
      const rate = this.#rate(`${pipeline}/${resource}`);
      const end = rate.begin(release, perSecond);
      this.#tell(rate);
      await rate.bucket.take(signal).finally(end);
    }
  }

  claims(): ShareClaim[] {
    const gates = [...this.#gates].map(([key, { held }]) => {
      const wanted = this.#wanted.get(key);
      return { name: `gate/${key}`, held, ...(wanted !== undefined && { want: { ...wanted, whole: true } }) };
    });
    const rates = [...this.#rates].flatMap(([key, rate]) => {
      const { bucket, perSecond } = rate;
      rate.told = perSecond;
      if (perSecond !== undefined) return [{ name: `rate/${key}`, held: bucket.rate, want: { limit: perSecond, whole: false } }];
      this.#rates.delete(key);
      return [];
    });
    return [...gates, ...rates];
  }

  granted(limits: ReadonlyMap<string, number>, until: number): void {
    const before = JSON.stringify([...this.#gates].map(([key, { limit }]) => [key, limit]));
    this.#until = until;
    for (const [key, gate] of this.#gates) {
      // What is not wanted any more ends as it began.
      const limit = limits.get(`gate/${key}`);
      if (limit !== undefined) gate.setLimit(limit);
    }
    for (const [key, { bucket }] of this.#rates) bucket.setRate(limits.get(`rate/${key}`) ?? bucket.rate);
    clearTimeout(this.#lapse);
    this.#lapse = setTimeout(() => this.#lose(), until - performance.now()).unref();
    if (before !== JSON.stringify([...this.#gates].map(([key, { limit }]) => [key, limit]))) this.changed(false);
  }

  close(): void {
    clearTimeout(this.#lapse);
  }

  #lose(): void {
    for (const gate of this.#gates.values()) gate.setLimit(0);
    for (const { bucket } of this.#rates.values()) bucket.setRate(0);
    this.changed(true);
  }

  #rate(key: string): ResourceRate {
    const rate = this.#rates.get(key) ?? new ResourceRate(() => !this.lapsed);
    this.#rates.set(key, rate);
    return rate;
  }

  #tell(rate: ResourceRate): void {
    const { perSecond } = rate;
    if (perSecond === undefined || perSecond === rate.told) return;
    rate.told = perSecond;
    if (this.divider === undefined) rate.bucket.setRate(perSecond);
    else void this.divider.renew().catch(() => {});
  }
}
