import type { ControlledPipeline, ControlledStage, StageTarget } from '@autoflow/twin';

/**
 * The targets as the bounds allow them: whole instances within each stage's range, a permitted memory size, and no more instances in all
 * than the fleet has. Where the fleet is too small, each stage keeps its minimum and the rest is shared by what was asked beyond it; a fleet
 * below the minima cannot be kept, and the minima stand. What is not a number becomes the minimum.
 */
export function withinLimits(pipeline: ControlledPipeline, targets: readonly StageTarget[]): StageTarget[] {
  const { stages, fleet = Number.POSITIVE_INFINITY } = pipeline;
  const bounded = stages.map((stage, s) => boundedBy(stage, targets[s]));
  const total = bounded.reduce((sum, { concurrency }) => sum + concurrency, 0);
  if (total <= fleet) return bounded;
  const least = stages.reduce((sum, { concurrency }) => sum + concurrency.min, 0);
  const share = Math.max(0, fleet - least) / (total - least);
  return bounded.map(({ concurrency, memoryMb }, s) => {
    const { min } = stages[s]!.concurrency;
    return { concurrency: min + Math.floor((concurrency - min) * share + 1e-9), memoryMb };
  });
}

function boundedBy({ concurrency: { min, max }, memoryMb: sizes }: ControlledStage, target: StageTarget | undefined): StageTarget {
  const wanted = target === undefined || Number.isNaN(target.concurrency) ? min : Math.ceil(target.concurrency);
  const memoryMb = target === undefined ? undefined : sizes.find((size) => size >= target.memoryMb);
  return { concurrency: Math.max(min, Math.min(max, wanted)), memoryMb: memoryMb ?? sizes[sizes.length - 1]! };
}
