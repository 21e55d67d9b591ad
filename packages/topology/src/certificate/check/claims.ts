import type { Fields } from '@autoflow/pipeline';
import type { Step } from '../../rewrites/all.js';
import type { Limits } from '../../rewrites/rewrite.js';
import { nodeOrder, type Arrangement } from './arrangement.js';
import { deadChildren, deadField, isDead } from './dead.js';
import type { Ties } from './ties.js';

/** What must be said of a step, and whether it is so. */
export interface Claim {
  readonly condition: string;
  readonly on: readonly string[];
  readonly holds: boolean;
  readonly facts: Fields;
}

/** A step, and the order before and after it. */
export interface View {
  readonly ties: Ties;
  readonly limits: Limits;
  readonly now: Arrangement;
  readonly next: Arrangement;
  readonly step: Step;
}

const LARGEST_MEMORY_MB = 3072;
const BOUNDS = { partitions: [1, 64], batchRecords: [1, 100_000], batchBytes: [1024, 268_435_456], lingerMs: [0, 600_000] } as const;

/** Every condition that a step must discharge, decided here from the two orders, the definition and the limits. */
export function claimsOf(view: View): Claim[] {
  return [...lostPairs(view), ...ownClaims(view)];
}

function lostPairs({ ties, now, next }: View): Claim[] {
  const [was, is] = [nodeOrder(now), nodeOrder(next)];
  const nodes = [...now.stages.values()].flatMap((stage) => stage.nodes);
  const claims: Claim[] = [];
  for (const a of nodes)
    for (const b of nodes) {
      if (a === b || !was(a, b) || is(a, b)) continue;
      const ranks = ties.ranks(a, b);
      if (ranks[0] > ranks[1]) claims.push({ condition: 'written-later', on: [a, b], holds: true, facts: { ranks } });
      else {
        const { tiedBy, facts } = ties.between(a, b);
        for (const law of Object.keys(facts)) claims.push({ condition: law, on: [a, b], holds: !tiedBy.has(law), facts: facts[law] ?? {} });
      }
    }
  return claims;
}

function ownClaims(view: View): Claim[] {
  const { step, now, next } = view;
  const madeOf = (node: string): string => [...next.stages].find(([, { nodes }]) => nodes.includes(node))?.[0] ?? '';
  const stage = (name: string): readonly string[] => now.stages.get(name)?.nodes ?? [];
  switch (step.rewrite) {
    case 'fuse': {
      const made = madeOf(stage(step.first)[0] ?? '');
      const partitions = [step.first, step.second].map((name) => now.stages.get(name)?.partitions ?? 0);
      const same = {
        condition: 'same-partitions',
        on: [step.first, step.second],
        holds: new Set(partitions).size === 1,
        facts: { partitions },
      };
      return [noDetour(now, step.first, step.second), alone(view, made), same, fits(view, made)];
    }
    case 'split':
      return room(view, stage(step.stage));
    case 'reorder-stages':
      return [noDetour(now, step.first, step.second)];
    case 'serialise': {
      const back = now.earlier.get(step.first)?.has(step.second) ?? false;
      return [{ condition: 'no-way-back', on: [step.first, step.second], holds: !back, facts: { back } }];
    }
    case 'move':
      return [alone(view, madeOf(step.node)), ...room(view, [step.node]), fits(view, madeOf(step.node))];
    case 'filter-earlier':
      return [fits(view, madeOf(step.filter))];
    case 'partition':
      return [bounded('partitions', step.partitions, [step.stage]), filled(next, step.stage), fits(view, step.stage)];
    case 'batch-size':
      return [
        bounded('batchRecords', step.records),
        bounded('batchBytes', step.bytes),
        ...[...next.stages.keys()].flatMap((name) => [filled(next, name), fits(view, name)]),
      ];
    case 'linger':
      return [bounded('lingerMs', step.lingerMs)];
    case 'drop-dead-fields': {
      const { stage: name, fields, children } = step;
      return [
        ...fields.map((field) => {
          const facts = deadField(view.ties, now, name, field);
          return { condition: 'dead-field', on: [name, field], holds: isDead(facts), facts: { ...facts } };
        }),
        ...children.map((expand) => {
          const facts = deadChildren(view.ties, now, name, expand);
          return { condition: 'dead-children', on: [name, expand], holds: isDead(facts), facts: { ...facts } };
        }),
      ];
    }
    case 'reorder-nodes':
    case 'parallelise':
      return [];
  }
}

function noDetour(now: Arrangement, first: string, second: string): Claim {
  const through = [...now.stages.keys()].filter((name) => now.earlier.get(name)?.has(first) && now.earlier.get(second)?.has(name));
  return { condition: 'no-detour', on: [first, second], holds: through.length === 0, facts: { through } };
}

function alone({ ties, next }: View, name: string): Claim {
  const effects = (next.stages.get(name)?.nodes ?? []).map((id) => ties.node(id)?.effect ?? 'write');
  return {
    condition: 'write-alone',
    on: [name],
    holds: !(effects.length > 1 && effects.some((effect) => effect === 'write')),
    facts: { effects },
  };
}

/** One claim for each limited resource that one of the nodes uses. */
function room({ ties, next }: View, nodes: readonly string[]): Claim[] {
  const uses = (ids: readonly string[], resource: string): boolean => ids.some((id) => ties.node(id)?.uses.includes(resource));
  return ties.spec.resources.flatMap(({ name, limit }): Claim[] => {
    if (limit?.concurrency === undefined || !uses(nodes, name)) return [];
    const stages = [...next.stages.values()].filter((stage) => uses(stage.nodes, name)).length;
    return [{ condition: 'resource-room', on: [name], holds: stages <= limit.concurrency, facts: { stages, limit: limit.concurrency } }];
  });
}

function fits({ next, limits: { workingSets, memoryMb = LARGEST_MEMORY_MB, instanceMb = 0 } }: View, name: string): Claim {
  const { nodes } = next.stages.get(name) ?? { nodes: [] };
  // Of every part: it loads all before it cuts.
  const { records } = next.batch;
  const measured = new Map(Object.entries(workingSets ?? {}));
  let neededMb = 0;
  for (const id of nodes) neededMb += (measured.get(id)?.fixedMb ?? 0) + records * (measured.get(id)?.perRecordMb ?? 0);
  return { condition: 'memory-fit', on: [name], holds: neededMb + instanceMb <= 0.95 * memoryMb, facts: { records } };
}

function filled(next: Arrangement, name: string): Claim {
  const partitions = next.stages.get(name)?.partitions ?? 0;
  const { records } = next.batch;
  return { condition: 'parts-filled', on: [name], holds: partitions <= records, facts: { partitions, records } };
}

function bounded(what: keyof typeof BOUNDS, value: number, on: readonly string[] = [what]): Claim {
  const [min, max] = BOUNDS[what];
  return {
    condition: 'within-bounds',
    on,
    holds: Number.isInteger(value) && min <= value && value <= max,
    facts: { what, value, min, max },
  };
}
