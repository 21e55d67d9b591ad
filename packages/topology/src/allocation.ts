import type { PipelineSpec } from '@autoflow/pipeline';
import { z } from 'zod';
import { stageNameProblems } from './envelope.js';
import { jsonPointer } from './json-pointer.js';
import { limitedResources, type LimitedResource } from './resource-limits.js';
import { shapeProblems } from './shape-problems.js';
import type { Allocation, Envelope, Problem, StageAllocation, StageEnvelope, Topology } from './topology.js';

const DEFAULT: StageAllocation = { memoryMb: 1024, concurrency: 4 };

const allocationShape = z.record(z.string(), z.strictObject({ memoryMb: z.number(), concurrency: z.number() }));

/** Where every version starts: 1,024 MB and 4 instances per stage, less where the envelope or a resource allows less. */
export function defaultAllocation(spec: PipelineSpec, topology: Topology, envelope: Envelope): Allocation {
  return clampAllocation(spec, topology, envelope, {});
}

/**
 * The nearest permitted allocation: valid for every input, NaN and missing stages included (they get the default), as long as the
 * envelope is valid. Memory goes up to the next permitted size. Where stages ask for more of a resource than it allows,
 * the one with the most instances gives way first.
 */
export function clampAllocation(spec: PipelineSpec, topology: Topology, envelope: Envelope, wanted: Allocation): Allocation {
  const clamped = new Map(topology.stages.map(({ name }) => [name, clampStage(envelope[name], wanted[name])]));
  for (const resource of limitedResources(spec, topology)) shareResource(resource, envelope, clamped);
  return Object.fromEntries(clamped);
}

function clampStage(bounds: StageEnvelope | undefined, wanted: StageAllocation | undefined): StageAllocation {
  const memoryMb = finite(wanted?.memoryMb, DEFAULT.memoryMb);
  const concurrency = Math.round(finite(wanted?.concurrency, DEFAULT.concurrency));
  if (bounds === undefined) return { memoryMb, concurrency };
  return {
    memoryMb: bounds.memoryMb.find((size) => size >= memoryMb) ?? bounds.memoryMb.at(-1) ?? memoryMb,
    concurrency: Math.min(bounds.concurrency.max, Math.max(bounds.concurrency.min, concurrency)),
  };
}

function finite(value: number | undefined, fallback: number): number {
  return value === undefined || Number.isNaN(value) ? fallback : value;
}

/** Takes instances one by one from the user that has the most (of equals the later name, so that the order of stages means nothing). */
function shareResource({ concurrency, users }: LimitedResource, envelope: Envelope, allocation: Map<string, StageAllocation>): void {
  const of = (user: string): number => allocation.get(user)?.concurrency ?? 0;
  const sorted = users.toSorted().reverse();
  for (let excess = users.reduce((sum, user) => sum + of(user), 0) - concurrency; excess > 0; excess--) {
    const givers = sorted.filter((user) => of(user) > (envelope[user]?.concurrency.min ?? 1));
    if (givers.length === 0) return;
    const most = givers.reduce((a, b) => (of(b) > of(a) ? b : a));
    allocation.set(most, { ...(allocation.get(most) ?? DEFAULT), concurrency: of(most) - 1 });
  }
}

/** Reads an allocation from JSON: all problems of its shape at once. */
export function parseAllocation(
  json: unknown,
): { readonly allocation: Allocation; readonly problems?: never } | { readonly problems: readonly Problem[] } {
  const parsed = allocationShape.safeParse(json);
  return parsed.success ? { allocation: parsed.data } : { problems: shapeProblems(parsed.error) };
}

/** Why an allocation is not permitted, all reasons at once; pointers into the allocation. Empty: it is permitted. */
export function validateAllocation(spec: PipelineSpec, topology: Topology, envelope: Envelope, allocation: Allocation): Problem[] {
  const problems: Problem[] = [...stageNameProblems(topology, allocation, 'allocation')];
  for (const [stage, { memoryMb, concurrency }] of Object.entries(allocation)) {
    const bounds = envelope[stage];
    if (bounds === undefined) continue;
    const { min, max } = bounds.concurrency;
    if (!bounds.memoryMb.includes(memoryMb))
      problems.push({
        code: 'MEMORY_OUTSIDE_ENVELOPE',
        pointer: jsonPointer(stage, 'memoryMb'),
        message: `${stage} may have ${bounds.memoryMb.join(', ')} MB, not ${memoryMb} MB.`,
      });
    if (!Number.isInteger(concurrency) || concurrency < min || concurrency > max)
      problems.push({
        code: 'CONCURRENCY_OUTSIDE_ENVELOPE',
        pointer: jsonPointer(stage, 'concurrency'),
        message: `${stage} may have ${min} to ${max} instances, not ${concurrency}.`,
      });
  }
  return [...problems, ...limitedResources(spec, topology).flatMap((resource) => limitProblems(resource, allocation))];
}

function limitProblems({ name, concurrency, users }: LimitedResource, allocation: Allocation): Problem[] {
  const asked = users.reduce((sum, user) => sum + (allocation[user]?.concurrency ?? 0), 0);
  if (asked <= concurrency) return [];
  const each = users.map((user) => `${user} ${allocation[user]?.concurrency ?? 0}`).join(', ');
  const message = `resource '${name}' allows ${concurrency} at once, but ${asked} are asked for: ${each}.`;
  return [{ code: 'RESOURCE_LIMIT', pointer: users.length === 1 ? jsonPointer(users[0] ?? '', 'concurrency') : '', message }];
}
