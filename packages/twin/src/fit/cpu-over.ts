/** CPU that was used evenly from one moment to another, in milliseconds. */
export interface CpuStretch {
  readonly from: number;
  readonly to: number;
  readonly cpuMs: number;
}

/** CPU that all of them used together between two moments, in milliseconds: each as if it had computed evenly. */
export function cpuOver(stretches: readonly CpuStretch[]): (from: number, to: number) => number {
  const turns = stretches
    .filter(({ from, to, cpuMs }) => to > from && cpuMs > 0)
    .flatMap(({ from, to, cpuMs }) => [
      { at: from, rate: cpuMs / (to - from) },
      { at: to, rate: -cpuMs / (to - from) },
    ])
    .sort((a, b) => a.at - b.at);
  const at = Float64Array.from(turns, (turn) => turn.at);
  const [used, rate] = [new Float64Array(turns.length), new Float64Array(turns.length)];
  turns.forEach((turn, i) => {
    rate[i] = (rate[i - 1] ?? 0) + turn.rate;
    used[i] = i === 0 ? 0 : used[i - 1]! + rate[i - 1]! * (at[i]! - at[i - 1]!);
  });
  const until = (moment: number): number => {
    const i = lastNotAfter(at, moment);
    return i < 0 ? 0 : used[i]! + rate[i]! * (moment - at[i]!);
  };
  return (from, to) => until(to) - until(from);
}

function lastNotAfter(sorted: Float64Array, value: number): number {
  let [low, high] = [-1, sorted.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sorted[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
