/**
 * A rate over time as straight pieces, jumps between them allowed. Every trace that has a rate is one of these, because the number of
 * arrivals up to a moment is then a quadratic that can be inverted exactly: arrivals cost constant time, whatever the shape.
 */
export interface Piece {
  readonly durationMs: number;
  /** Arrivals per second at the start and at the end of the piece. */
  readonly from: number;
  readonly to: number;
}
export type RateProfile = readonly Piece[];

export const durationOf = (profile: RateProfile): number => profile.reduce((sum, { durationMs }) => sum + durationMs, 0);

/** Expected arrivals: the area under the rate. */
export const expectedArrivals = (profile: RateProfile): number => profile.reduce((sum, piece) => sum + areaOf(piece), 0);

/** Arrivals per second at a moment; at a jump, the rate after it. */
export function rateAt(profile: RateProfile, ms: number): number {
  let start = 0;
  for (const { durationMs, from, to } of profile) {
    if (ms >= start && ms < start + durationMs) return from + ((to - from) * (ms - start)) / durationMs;
    start += durationMs;
  }
  return 0;
}

/** The same arrivals in `1/speed` of the time: a day of minutes becomes a day of seconds with `speed` 60. */
export function warp(profile: RateProfile, speed: number): RateProfile {
  positive(speed, 'speed');
  return profile.map(({ durationMs, from, to }) => ({ durationMs: durationMs / speed, from: from * speed, to: to * speed }));
}

/** The same shape with another mean rate; a profile without arrivals stays as it is. */
export function withMeanRate(profile: RateProfile, perSecond: number): RateProfile {
  positive(perSecond, 'rate');
  const mean = (expectedArrivals(profile) / durationOf(profile)) * 1000;
  if (!(mean > 0)) return profile;
  return profile.map(({ durationMs, from, to }) => ({ durationMs, from: (from * perSecond) / mean, to: (to * perSecond) / mean }));
}

/** The first `durationMs`; a profile that is shorter begins anew as often as it takes. */
export function lasting(profile: RateProfile, durationMs: number): RateProfile {
  positive(durationMs, 'duration');
  positive(durationOf(profile), 'duration of the profile');
  const pieces: Piece[] = [];
  for (let left = durationMs; left > 0;)
    for (const piece of profile) {
      if (left <= 0) break;
      const part = Math.min(left, piece.durationMs);
      pieces.push(part === piece.durationMs ? piece : { ...piece, durationMs: part, to: rateAt([piece], part) });
      left -= part;
    }
  return pieces;
}

/**
 * The moments at which the cumulative rate reaches each of `marks` (ascending), in milliseconds. Inversion turns evenly spaced marks into
 * evenly spaced load, and the marks of a Poisson process of rate 1 into one of the profile's rate (Çinlar, 1975: time change).
 */
export function* momentsOf(profile: RateProfile, marks: Iterable<number>): Generator<number> {
  const pieces = profile[Symbol.iterator]();
  let piece = next(pieces);
  let [startMs, before] = [0, 0];
  for (const mark of marks) {
    while (piece !== undefined && mark >= before + areaOf(piece)) {
      startMs += piece.durationMs;
      before += areaOf(piece);
      piece = next(pieces);
    }
    if (piece === undefined) return;
    yield startMs + Math.min(momentIn(piece, mark - before), piece.durationMs);
  }
}

/** Milliseconds into the piece after which `area` arrivals are expected: a·t² / 2 + from·t = area, in the form that is stable for a → 0. */
function momentIn({ durationMs, from, to }: Piece, area: number): number {
  if (area <= 0) return 0;
  const slope = (to - from) / (durationMs / 1000);
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * area));
  return ((2 * area) / (from + root)) * 1000;
}

const areaOf = ({ durationMs, from, to }: Piece): number => ((from + to) / 2) * (durationMs / 1000);

function next(pieces: Iterator<Piece>): Piece | undefined {
  const { done, value } = pieces.next();
  return done === true ? undefined : value;
}

export function positive(value: number, name: string): void {
  if (!(value > 0) || !Number.isFinite(value)) throw new RangeError(`The ${name} must be a finite number above zero, found ${value}.`);
}
