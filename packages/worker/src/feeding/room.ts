/** What may be open at once, of each room by itself: a candidate that is slow keeps nothing of the others from being fed, nor of the next one. */
import { roomOf, type Load } from '@autoflow/store';
import { OpenBound } from '@autoflow/topology';
import type { Lane } from './lanes.js';

const IDLE = { open: 0, closed: 0, meanOpenMs: 0 };

export class Bounds {
  readonly #bounds = new Map<string, OpenBound>();

  /** For one pass over these lanes. A room that is left begins anew when somebody comes again. `now` as of `OpenBound`. */
  of(lanes: readonly Lane[], load: Load, now: number): Room {
    const rooms = new Set(['stable', ...lanes.map(roomOf), ...Object.keys(load.rooms)]);
    for (const room of this.#bounds.keys()) if (!rooms.has(room)) this.#bounds.delete(room);
    for (const room of rooms) {
      const bound = this.#bounds.get(room) ?? new OpenBound();
      bound.observe(load.rooms[room] ?? IDLE, now);
      this.#bounds.set(room, bound);
    }
    return new Room(this.#bounds, load);
  }
}

/** What may still be opened in one pass, of all rooms. */
export class Room {
  /** Something is there that the bounds hold back. */
  full = false;
  readonly #open: Map<string, number>;
  readonly #ofBackfills: Map<string, number>;
  /** Of all rooms together. */
  readonly #limit: number;
  constructor(
    private readonly bounds: ReadonlyMap<string, OpenBound>,
    { rooms, openOfBackfill }: Load,
  ) {
    this.#open = new Map(Object.entries(rooms).map(([room, { open }]) => [room, open]));
    this.#ofBackfills = new Map(Object.entries(openOfBackfill));
    this.#limit = [...bounds.values()].reduce((sum, { limit }) => sum + limit, 0);
  }

  has(lane: Lane): boolean {
    const { backfill } = lane.stream;
    const room = roomOf(lane);
    const bound = this.bounds.get(room)!;
    if ((this.#open.get(room) ?? 0) >= bound.limit) return this.#reached(bound);
    if (backfill === undefined) return true;
    const all = [...this.#ofBackfills.values()].reduce((sum, open) => sum + open, 0);
    if (all >= Math.max(1, Math.floor(backfill.maxShare * this.#limit))) return this.#reached(bound);
    if ((this.#ofBackfills.get(backfill.id) ?? 0) < backfill.concurrency) return true;
    this.full = true;
    return false;
  }

  take(lane: Lane): void {
    const { backfill } = lane.stream;
    const room = roomOf(lane);
    this.#open.set(room, (this.#open.get(room) ?? 0) + 1);
    if (backfill !== undefined) this.#ofBackfills.set(backfill.id, (this.#ofBackfills.get(backfill.id) ?? 0) + 1);
  }

  #reached(bound: OpenBound): false {
    bound.reached();
    this.full = true;
    return false;
  }
}
