import type { Envelope, Problem, StageAllocation, StageEnvelope } from './topology.js';

/** An operator's bounds of one stage, inside its envelope. What is left out is bounded by the envelope alone. */
export interface StageClamp {
  readonly memoryMb?: { readonly min: number; readonly max: number };
  readonly concurrency?: { readonly min: number; readonly max: number };
}
export type Clamps = { readonly [stage: string]: StageClamp };

/** The envelope with the clamps upon it: valid where every clamp has passed `clampProblems`. */
export function clampedEnvelope(envelope: Envelope, clamps: Clamps): Envelope {
  return Object.fromEntries(Object.entries(envelope).map(([stage, bounds]) => [stage, narrowed(bounds, clamps[stage])]));
}

/** Why a stage cannot be clamped so, all reasons at once; pointers into the clamp. */
export function clampProblems({ memoryMb: sizes, concurrency: range }: StageEnvelope, { memoryMb, concurrency }: StageClamp): Problem[] {
  const problems: Problem[] = [];
  const check = (name: string, bounds: { min: number; max: number } | undefined, leavesSome: boolean, permitted: string) => {
    if (bounds === undefined) return;
    if (bounds.min > bounds.max)
      problems.push({
        code: 'CLAMP_RANGE',
        pointer: `/${name}`,
        message: `the least, ${bounds.min}, is above the greatest, ${bounds.max}.`,
      });
    else if (!leavesSome)
      problems.push({ code: 'CLAMP_EMPTY', pointer: `/${name}`, message: `nothing of the envelope is left: it permits ${permitted}.` });
  };
  check(
    'memoryMb',
    memoryMb,
    sizes.some((size) => within(size, memoryMb)),
    `${sizes.join(', ')} MB`,
  );
  check(
    'concurrency',
    concurrency,
    concurrency !== undefined && concurrency.min <= range.max && concurrency.max >= range.min,
    `${range.min} to ${range.max} instances`,
  );
  return problems;
}

/** What of an allocation a clamp forbids, in words; undefined: it permits it. */
export function outsideClamp({ memoryMb, concurrency }: StageAllocation, clamp: StageClamp | undefined): string | undefined {
  if (!within(memoryMb, clamp?.memoryMb)) return `${clamp!.memoryMb!.min} to ${clamp!.memoryMb!.max} MB, not ${memoryMb} MB`;
  if (!within(concurrency, clamp?.concurrency))
    return `${clamp!.concurrency!.min} to ${clamp!.concurrency!.max} instances, not ${concurrency}`;
  return undefined;
}

function narrowed({ memoryMb, concurrency }: StageEnvelope, clamp: StageClamp | undefined): StageEnvelope {
  const bounds = clamp?.concurrency ?? concurrency;
  return {
    memoryMb: memoryMb.filter((size) => within(size, clamp?.memoryMb)),
    concurrency: { min: Math.max(concurrency.min, bounds.min), max: Math.min(concurrency.max, bounds.max) },
  };
}

function within(value: number, bounds: { readonly min: number; readonly max: number } | undefined): boolean {
  return bounds === undefined || (bounds.min <= value && value <= bounds.max);
}
