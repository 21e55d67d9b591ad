/** What holds from a moment on. */
export interface Step {
  readonly ms: number;
  readonly mb: number;
}

/** How long after `endsMs` until the memory is at most so much and stays so to the last step; null: it does not. Steps in order, the first before `endsMs`. */
export function returnsIn(steps: readonly Step[], endsMs: number, mostMb: number): number | null {
  const above = steps.findLastIndex(({ mb }) => mb > mostMb);
  if (above < 0) return 0;
  const back = steps[above + 1];
  return back === undefined ? null : Math.max(0, back.ms - endsMs);
}
