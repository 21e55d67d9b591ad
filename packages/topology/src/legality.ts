import type { PipelineSpec } from '@autoflow/pipeline';
import { brokenDependencies } from './broken-dependencies.js';
import { dropProblems } from './drops.js';
import { jsonPointer } from './json-pointer.js';
import { TOPOLOGY_BOUNDS } from './parse-topology.js';
import { limitedResources } from './resource-limits.js';
import { cycles, stageGraph, type StageGraph } from './stage-graph.js';
import { stageName } from './stage-name.js';
import type { Problem, Topology } from './topology.js';
import { listed } from './words.js';

/**
 * Why a topology is not a legal one of its pipeline, all reasons at once; empty: it is legal, and gives every record the outcome that the
 * as-written topology gives it. Legal means: every call is in exactly one stage, the stages form an acyclic graph, and whatever depends on
 * another call runs after it. Pointers are JSON pointers into the topology.
 */
export function validateTopology(spec: PipelineSpec, topology: Topology): Problem[] {
  const graph = stageGraph(topology);
  return [
    ...boundsProblems(topology),
    ...nameProblems(topology),
    ...nodeProblems(spec, topology),
    ...cycleProblems(topology, graph),
    ...fusedWrites(spec, topology),
    ...brokenDependencies(spec, topology, graph),
    ...overusedResources(spec, topology),
    ...dropProblems(spec, topology),
  ];
}

function boundsProblems({ stages, batch, lingerMs }: Topology): Problem[] {
  const outside = (
    pointer: string,
    what: string,
    value: number,
    { min, max }: { readonly min: number; readonly max: number },
  ): Problem[] =>
    Number.isInteger(value) && value >= min && value <= max
      ? []
      : [{ code: 'OUT_OF_BOUNDS', pointer, message: `${what} must be a whole number from ${min} to ${max}, found ${value}.` }];
  return [
    ...stages.flatMap(({ name, partitions }, i) =>
      outside(jsonPointer('stages', i, 'partitions'), `the partitions of ${name}`, partitions, TOPOLOGY_BOUNDS.partitions),
    ),
    ...stages.flatMap(({ name, partitions }, i) =>
      partitions > batch.records && partitions <= TOPOLOGY_BOUNDS.partitions.max
        ? [
            {
              code: 'EMPTY_PARTITIONS',
              pointer: jsonPointer('stages', i, 'partitions'),
              message: `${name} has ${partitions} partitions, but a batch holds at most ${batch.records}.`,
            },
          ]
        : [],
    ),
    ...outside('/batch/records', 'the records of a batch', batch.records, TOPOLOGY_BOUNDS.batchRecords),
    ...outside('/batch/bytes', 'the bytes of a batch', batch.bytes, TOPOLOGY_BOUNDS.batchBytes),
    ...outside('/lingerMs', 'the linger', lingerMs, TOPOLOGY_BOUNDS.lingerMs),
  ];
}

/** Names identify stages in `after`, in allocations and as activity types, so each has one name, made of its nodes. */
function nameProblems({ stages }: Topology): Problem[] {
  const first = new Map<string, number>();
  stages.forEach(({ name }, i) => first.has(name) || first.set(name, i));
  return stages.flatMap(({ name, nodes, after }, i) => {
    const problems: Problem[] = [];
    if (name !== stageName(nodes))
      problems.push({
        code: 'WRONG_STAGE_NAME',
        pointer: jsonPointer('stages', i, 'name'),
        message: `a stage with these nodes is called '${stageName(nodes)}', not '${name}'; leave the name out, or correct it.`,
      });
    if (first.get(name) !== i)
      problems.push({
        code: 'DUPLICATE_STAGE',
        pointer: jsonPointer('stages', i, 'name'),
        message: `stage ${first.get(name)} is called '${name}' too.`,
      });
    after.forEach((before, j) => {
      const pointer = jsonPointer('stages', i, 'after', j);
      if (!first.has(before))
        problems.push({ code: 'UNKNOWN_STAGE', pointer, message: `${name} waits for '${before}', but there is no such stage.` });
      else if (after.indexOf(before) !== j)
        problems.push({ code: 'DUPLICATE_AFTER', pointer, message: `${name} waits for '${before}' twice.` });
    });
    return problems;
  });
}

function nodeProblems(spec: PipelineSpec, { stages }: Topology): Problem[] {
  const known = new Set(spec.nodes.map((node) => node.id));
  const stageOf = new Map<string, string>();
  const problems: Problem[] = [];
  stages.forEach(({ name, nodes }, i) => {
    if (nodes.length === 0)
      problems.push({ code: 'EMPTY_STAGE', pointer: jsonPointer('stages', i, 'nodes'), message: `stage '${name}' runs nothing.` });
    nodes.forEach((id, j) => {
      const pointer = jsonPointer('stages', i, 'nodes', j);
      const other = stageOf.get(id);
      if (!known.has(id))
        problems.push({ code: 'UNKNOWN_NODE', pointer, message: `${spec.name} does not call '${id}'; it calls ${listed([...known])}.` });
      else if (other !== undefined)
        problems.push({ code: 'DUPLICATE_NODE', pointer, message: `${id} is in stage '${other}' already; every call runs once.` });
      else stageOf.set(id, name);
    });
  });
  const missing = spec.nodes.filter(({ id }) => !stageOf.has(id));
  return [
    ...problems,
    ...missing.map(({ id }) => ({
      code: 'MISSING_NODE',
      pointer: '/stages',
      message: `${id} is in no stage; every call of ${spec.name} must run.`,
    })),
  ];
}

function cycleProblems({ stages }: Topology, graph: StageGraph): Problem[] {
  const name = (i: number | undefined): string => stages[i ?? -1]?.name ?? '';
  return cycles(graph).map((cycle) => {
    const pointer = jsonPointer('stages', cycle[0] ?? 0, 'after', stages[cycle[0] ?? 0]?.after.indexOf(name(cycle[1] ?? cycle[0])) ?? 0);
    const message =
      cycle.length === 1
        ? `${name(cycle[0])} waits for itself.`
        : `the stages wait for each other: ${[...cycle, cycle[0]].map(name).join(' waits for ')}.`;
    return { code: 'CYCLE', pointer, message };
  });
}

/** A plain write is never run again by itself, and what shares its stage would share that fate. */
function fusedWrites(spec: PipelineSpec, { stages }: Topology): Problem[] {
  const writes = new Set(spec.nodes.filter((node) => node.effect === 'write').map((node) => node.id));
  return stages.flatMap(({ nodes }, i) =>
    nodes.flatMap((id, j) =>
      writes.has(id) && nodes.length > 1
        ? [
            {
              code: 'WRITE_FUSED',
              pointer: jsonPointer('stages', i, 'nodes', j),
              message: `${id} has the effect 'write' and must be alone in its stage, but shares it with ${listed(nodes.filter((_, k) => k !== j))}.`,
            },
          ]
        : [],
    ),
  );
}

/** Each stage needs one instance at least, and each instance counts against the resource. */
function overusedResources(spec: PipelineSpec, topology: Topology): Problem[] {
  return limitedResources(spec, topology).flatMap(({ name, concurrency, users }) =>
    users.length <= concurrency
      ? []
      : [
          {
            code: 'RESOURCE_LIMIT',
            pointer: '/stages',
            message: `resource '${name}' allows ${concurrency} at once, but ${users.length} stages use it: ${listed(users)}. Fuse some of these stages, or raise the limit of the resource to ${users.length}.`,
          },
        ],
  );
}
