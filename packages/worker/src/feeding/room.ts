/** What may be open at once, of each arm by itself: one that is slow, as a candidate may be, keeps nothing of the others from being fed. */
import type { Load } from '@autoflow/store';
import { OpenBound } from '@autoflow/topology';
import type { Lane } from './lanes.js';

type Arm = keyof Load['ofArm'];
const IDLE = { open: 0, closed: 0, meanOpenMs: 0 };

/** What is pinned to a version has the room of the stable one. */
const armOf = ({ arm }: Pick<Lane, 'arm'>): Arm => (arm === 'pinned' ? 'stable' : arm);

export class Bounds {
  readonly #bounds = new Map<Arm, OpenBound>();

  /** For one pass over these lanes. An arm that has gone begins anew when it comes again. `now` as of `OpenBound`. */
  room(lanes: readonly Pick<Lane, 'arm'>[], load: Load, now: number): Room {
    const arms = new Set<Arm>(['stable', ...lanes.map(armOf), ...(Object.keys(load.ofArm) as Arm[])]);
    for (const arm of this.#bounds.keys()) if (!arms.has(arm)) this.#bounds.delete(arm);
    for (const arm of arms) {
      const bound = this.#bounds.get(arm) ?? new OpenBound();
      bound.observe(load.ofArm[arm] ?? IDLE, now);
      this.#bounds.set(arm, bound);
    }
    return new Room(this.#bounds, load);
  }
}

/** What may still be opened in one pass. */
export class Room {
  /** Something is there that the bounds hold back. */
  full = false;
  readonly #open: Map<string, number>;
  readonly #ofBackfills: Map<string, number>;
  /** Of all arms together. */
  readonly #limit: number;
  constructor(
    private readonly bounds: ReadonlyMap<Arm, OpenBound>,
    { ofArm, openOfBackfill }: Load,
  ) {
    this.#open = new Map(Object.entries(ofArm).map(([arm, { open }]) => [arm, open]));
    this.#ofBackfills = new Map(Object.entries(openOfBackfill));
    this.#limit = [...bounds.values()].reduce((sum, { limit }) => sum + limit, 0);
  }

  has(lane: Pick<Lane, 'arm' | 'stream'>): boolean {
    const { backfill } = lane.stream;
    const arm = armOf(lane);
    const bound = this.bounds.get(arm)!;
    if ((this.#open.get(arm) ?? 0) >= bound.limit) return this.#reached(bound);
    if (backfill === undefined) return true;
    const all = [...this.#ofBackfills.values()].reduce((sum, open) => sum + open, 0);
    if (all >= Math.max(1, Math.floor(backfill.maxShare * this.#limit))) return this.#reached(bound);
    if ((this.#ofBackfills.get(backfill.id) ?? 0) < backfill.concurrency) return true;
    this.full = true;
    return false;
  }

  take(lane: Pick<Lane, 'arm' | 'stream'>): void {
    const { backfill } = lane.stream;
    const arm = armOf(lane);
    this.#open.set(arm, (this.#open.get(arm) ?? 0) + 1);
    if (backfill !== undefined) this.#ofBackfills.set(backfill.id, (this.#ofBackfills.get(backfill.id) ?? 0) + 1);
  }

  #reached(bound: OpenBound): false {
    bound.reached();
    this.full = true;
    return false;
  }
}
