/** What holds from a moment on. */
export interface Step {
  readonly ms: number;
  readonly mb: number;
}

/** Megabyte-milliseconds from one moment to another. Steps in order. */
export const memoryOver = (steps: readonly Step[], from: number, to: number): number =>
  steps.reduce((sum, { ms, mb }, i) => sum + mb * Math.max(0, Math.min(to, steps[i + 1]?.ms ?? to) - Math.max(from, ms)), 0);

/**
 * How long after `endsMs` until the memory is at most so much, and at most so much on average from then on until `untilMs`: a dip is no return, and a
 * single instance that comes and goes later undoes none. Null: it does not return. Steps in order, the first before `endsMs`.
 */
export function returnsIn(
  steps: readonly Step[],
  { endsMs, untilMs }: { readonly endsMs: number; readonly untilMs: number },
  mostMb: number,
): number | null {
  const moments = [endsMs, ...steps.flatMap(({ ms }) => (ms > endsMs && ms < untilMs ? [ms] : []))];
  const held = (at: number): number => steps.findLast(({ ms }) => ms <= at)!.mb;
  const back = moments.find((at) => held(at) <= mostMb && memoryOver(steps, at, untilMs) <= mostMb * (untilMs - at));
  return back === undefined ? null : back - endsMs;
}
