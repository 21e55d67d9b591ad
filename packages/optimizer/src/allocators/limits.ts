import type { ControlledPipeline, ControlledStage, StageTarget } from '@autoflow/twin';

/**
 * The targets as the bounds allow them: whole instances within each stage's range, a permitted memory size, and no more instances in all
 * than the fleet has. Where the fleet is too small, each stage keeps its minimum and the rest is shared by what was asked beyond it; a fleet
 * below the minima cannot be kept, and the minima stand. What is not a number becomes the minimum.
 */
export function withinLimits(pipeline: ControlledPipeline, targets: readonly StageTarget[]): StageTarget[] {
  const { stages } = pipeline;
  const bounded = stages.map((stage, s) => boundedBy(stage, targets[s]));
  return withinFleet(
    pipeline,
    bounded,
    stages.map(({ concurrency }) => concurrency.min),
  );
}

/** The targets as the bounds allow them, and of what there is nothing taken away, unless the bounds leave no room for it. */
export function raisedWithinLimits(
  pipeline: ControlledPipeline,
  now: readonly StageTarget[],
  targets: readonly StageTarget[],
): StageTarget[] {
  const kept = withinLimits(pipeline, now);
  const raised = kept.map(({ concurrency, memoryMb }, s) =>
    boundedBy(pipeline.stages[s]!, { concurrency: Math.max(concurrency, targets[s]?.concurrency ?? 0), memoryMb }),
  );
  return withinFleet(
    pipeline,
    raised,
    kept.map(({ concurrency }) => concurrency),
  );
}

/** Where the fleet is too small for what is asked, each stage keeps its floor, and the rest is shared by what was asked beyond it. */
export function withinFleet(
  { fleet = Number.POSITIVE_INFINITY }: ControlledPipeline,
  asked: readonly StageTarget[],
  floors: readonly number[],
): StageTarget[] {
  const total = asked.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const least = floors.reduce((sum, floor) => sum + floor, 0);
  if (total <= Math.max(fleet, least)) return [...asked];
  const share = Math.max(0, fleet - least) / (total - least);
  return asked.map(({ concurrency, memoryMb }, s) => {
    const floor = floors[s]!;
    return { concurrency: floor + Math.floor((concurrency - floor) * share + 1e-9), memoryMb };
  });
}

function boundedBy({ concurrency: { min, max }, memoryMb: sizes }: ControlledStage, target: StageTarget | undefined): StageTarget {
  const wanted = target === undefined || Number.isNaN(target.concurrency) ? min : Math.ceil(target.concurrency);
  const memoryMb = target === undefined ? undefined : sizes.find((size) => size >= target.memoryMb);
  return { concurrency: Math.max(min, Math.min(max, wanted)), memoryMb: memoryMb ?? sizes[sizes.length - 1]! };
}
