import { TOPOLOGY_BOUNDS } from '../parse-topology.js';
import { limitedResources } from '../resource-limits.js';
import { MEMORY_SIZES_MB, type Stage, type Topology } from '../topology.js';
import { detour, own, precedes } from './graph.js';
import { relationsOf } from './relations.js';
import type { Condition, Context } from './rewrite.js';

/** An instance shall not be filled to its brim: garbage needs room, and working sets vary. */
const USABLE_MEMORY = 0.95;

/** Making the two one, or the second wait for nothing between them, closes no circle. */
export function noDetour({ topology }: Context, first: string, second: string): Condition {
  const through = detour(topology, first, second);
  return { condition: 'no-detour', on: [first, second], holds: through.length === 0, facts: { through } };
}

/** The second does not already wait for the first in the other direction. */
export function noWayBack({ topology }: Context, first: string, second: string): Condition {
  const back = precedes(topology)(second, first);
  return { condition: 'no-way-back', on: [first, second], holds: !back, facts: { back } };
}

/** A plain write is never run again by itself, and what shares its stage would share that fate. */
export function writeAlone({ spec }: Context, { name, nodes }: Stage): Condition {
  const effects = nodes.map((id) => relationsOf(spec).node(id).effect);
  return { condition: 'write-alone', on: [name], holds: nodes.length === 1 || !effects.includes('write'), facts: { effects } };
}

/** A stage has one number of parts. */
export function samePartitions(first: Stage, second: Stage): Condition {
  const partitions = [first.partitions, second.partitions];
  return {
    condition: 'same-partitions',
    on: [first.name, second.name],
    holds: first.partitions === second.partitions,
    facts: { partitions },
  };
}

/** Each stage needs an instance, and each instance counts against the resources it uses. One condition per resource of the nodes given. */
export function resourceRoom({ spec }: Context, next: Topology, nodes: readonly string[]): Condition[] {
  const used = new Set(nodes.flatMap((id) => relationsOf(spec).node(id).uses));
  return limitedResources(spec, next)
    .filter(({ name }) => used.has(name))
    .map(({ name, concurrency, users }) => ({
      condition: 'resource-room',
      on: [name],
      holds: users.length <= concurrency,
      facts: { stages: users.length, limit: concurrency },
    }));
}

/** The working sets of a stage's functions fit into the largest memory size with a whole batch: a part reads all of it before it takes its own records. */
export function memoryFit(
  { limits: { workingSets = {}, memoryMb = MEMORY_SIZES_MB.at(-1) ?? 0, instanceMb = 0 } }: Context,
  next: Topology,
  stage: Stage,
): Condition {
  const { records } = next.batch;
  const unmeasured = stage.nodes.filter((id) => own(workingSets, id) === undefined);
  const neededMb = stage.nodes.reduce((sum, id) => {
    const { fixedMb, perRecordMb } = own(workingSets, id) ?? { fixedMb: 0, perRecordMb: 0 };
    return sum + fixedMb + records * perRecordMb;
  }, 0);
  const usableMb = memoryMb * USABLE_MEMORY - instanceMb;
  return { condition: 'memory-fit', on: [stage.name], holds: neededMb <= usableMb, facts: { records, neededMb, usableMb, unmeasured } };
}

/** No part of a full batch is empty. */
export function partsFilled(next: Topology, { name, partitions }: Stage): Condition {
  const { records } = next.batch;
  return { condition: 'parts-filled', on: [name], holds: partitions <= records, facts: { partitions, records } };
}

export function withinBounds(what: keyof typeof TOPOLOGY_BOUNDS, value: number, on: readonly string[] = [what]): Condition {
  const { min, max } = TOPOLOGY_BOUNDS[what];
  return {
    condition: 'within-bounds',
    on,
    holds: Number.isInteger(value) && value >= min && value <= max,
    facts: { what, value, min, max },
  };
}
