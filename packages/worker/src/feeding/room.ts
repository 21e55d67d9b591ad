/** What may be open at once, of each room by itself: a candidate that is slow keeps nothing of the others from being fed, nor of the next one. */
import { roomOf, type Load } from '@autoflow/store';
import { OpenBound } from '@autoflow/topology';
import type { Lane } from './lanes.js';

const IDLE = { open: 0, ofBackfill: {}, closed: 0, meanOpenMs: 0 };

export class Rooms {
  readonly #bounds = new Map<string, OpenBound>();

  /** For one pass over these lanes. A room that is left begins anew when somebody comes again. `now` as of `OpenBound`. */
  of(lanes: readonly Lane[], load: Load, now: number): Room {
    const rooms = new Set(['stable', ...lanes.map(roomOf), ...Object.keys(load.rooms)]);
    for (const room of this.#bounds.keys()) if (!rooms.has(room)) this.#bounds.delete(room);
    for (const room of rooms) {
      const bound = this.#bounds.get(room) ?? new OpenBound();
      bound.keepBusy(instancesOf(room, lanes, load));
      bound.observe(load.rooms[room] ?? IDLE, now);
      this.#bounds.set(room, bound);
    }
    return new Room(this.#bounds, load);
  }

  /** How many may be open, by room. */
  limits(): { readonly [room: string]: number } {
    return Object.fromEntries([...this.#bounds].map(([room, { limit }]) => [room, limit]));
  }
}

function instancesOf(room: string, lanes: readonly Lane[], { instances }: Load): number {
  const own = lanes.filter((lane) => lane.arm !== 'pinned' && roomOf(lane) === room);
  return Math.max(0, ...own.map(({ version }) => instances[version] ?? 0));
}

/** What may still be opened in one pass, of all rooms. */
export class Room {
  /** Something is there that the bounds hold back. */
  full = false;
  /** Open in a room, of all and of each backfill. */
  readonly #open = new Map<string, { all: number; readonly ofBackfill: Map<string, number> }>();
  constructor(
    private readonly bounds: ReadonlyMap<string, OpenBound>,
    { rooms }: Load,
  ) {
    for (const room of bounds.keys()) {
      const { open, ofBackfill } = rooms[room] ?? IDLE;
      this.#open.set(room, { all: open, ofBackfill: new Map(Object.entries(ofBackfill)) });
    }
  }

  has(lane: Lane): boolean {
    const { backfill } = lane.stream;
    const bound = this.bounds.get(roomOf(lane))!;
    const { all, ofBackfill } = this.#open.get(roomOf(lane))!;
    if (all >= bound.limit) return this.#reached(bound);
    if (backfill === undefined) return true;
    if (sumOf(ofBackfill.values()) >= Math.max(1, Math.floor(backfill.maxShare * bound.limit))) return this.#reached(bound);
    const everywhere = sumOf([...this.#open.values()].map((room) => room.ofBackfill.get(backfill.id) ?? 0));
    if (everywhere < backfill.concurrency) return true;
    this.full = true;
    return false;
  }

  take(lane: Lane): void {
    const { backfill } = lane.stream;
    const room = this.#open.get(roomOf(lane))!;
    room.all++;
    if (backfill !== undefined) room.ofBackfill.set(backfill.id, (room.ofBackfill.get(backfill.id) ?? 0) + 1);
  }

  #reached(bound: OpenBound): false {
    bound.reached();
    this.full = true;
    return false;
  }
}

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, n) => sum + n, 0);
