import type { Limits } from '../../rewrites/rewrite.js';
import { isCircular, nodeOrder, type Arrangement } from './arrangement.js';
import { deadChildren, deadField, isDead } from './dead.js';
import type { Ties } from './ties.js';

/** Why an order is none of a pipeline's, in words; empty: it is legal. */
export function illegalities(ties: Ties, arrangement: Arrangement, limits: Limits): string[] {
  return [
    ...wrongNodes(ties, arrangement),
    ...(isCircular(arrangement) ? ['stages wait for each other'] : []),
    ...brokenTies(ties, arrangement),
    ...sharedWrites(ties, arrangement),
    ...crowdedResources(ties, arrangement),
    ...overfull(arrangement, limits),
    ...missed(ties, arrangement),
  ];
}

function missed(ties: Ties, arrangement: Arrangement): string[] {
  return [...arrangement.dropped].flatMap(([stage, { fields, children }]) => [
    ...[...fields]
      .filter((field) => !isDead(deadField(ties, arrangement, stage, field)))
      .map((field) => `${stage} drops ${field}, which is needed`),
    ...[...children]
      .filter((expand) => !isDead(deadChildren(ties, arrangement, stage, expand)))
      .map((expand) => `${stage} drops the children of ${expand}, which are needed`),
  ]);
}

function wrongNodes({ spec }: Ties, { stages }: Arrangement): string[] {
  const wanted = spec.nodes.map(({ id }) => id).sort();
  const found = [...stages.values()].flatMap(({ nodes }) => nodes).sort();
  return wanted.length === found.length && wanted.every((id, i) => id === found[i]) ? [] : ['not every call is in exactly one stage'];
}

function brokenTies(ties: Ties, arrangement: Arrangement): string[] {
  const before = nodeOrder(arrangement);
  return [...ties.all()].flatMap(([a, b, laws]) => (before(a, b) ? [] : [`${b} is not behind ${a} (${[...laws].join(', ')})`]));
}

function sharedWrites(ties: Ties, { stages }: Arrangement): string[] {
  return [...stages].flatMap(([name, { nodes }]) =>
    nodes.length > 1 && nodes.some((id) => ties.node(id)?.effect === 'write') ? [`${name} holds a plain write that is not alone`] : [],
  );
}

function crowdedResources({ spec }: Ties, { stages }: Arrangement): string[] {
  return spec.resources.flatMap(({ name, limit }) => {
    const users = new Set(spec.nodes.filter(({ uses }) => uses.includes(name)).map(({ id }) => id));
    const count = [...stages.values()].filter(({ nodes }) => nodes.some((id) => users.has(id))).length;
    return count > (limit?.concurrency ?? Infinity) ? [`${count} stages use ${name}, which allows ${limit?.concurrency}`] : [];
  });
}

function overfull({ stages, batch: { records } }: Arrangement, { workingSets = {}, memoryMb = 3072, instanceMb = 0 }: Limits): string[] {
  const measured = new Map(Object.entries(workingSets));
  return [...stages].flatMap(([name, { nodes, partitions }]) => {
    const needed = nodes
      .map((id) => measured.get(id))
      .reduce((sum, one) => sum + (one ? one.fixedMb + records * one.perRecordMb : 0), instanceMb);
    return [
      ...(partitions > records ? [`${name} has more parts than a batch has records`] : []),
      ...(needed > 0.95 * memoryMb ? [`${name} needs ${Math.ceil(needed)} MB`] : []),
    ];
  });
}
