import type { Outcome } from '@autoflow/pipeline';
import { fake, testPipeline, type BatchSize } from '@autoflow/pipeline/testing';
import type { Topology } from '../topology.js';
import { World, type Failure } from './behaviour.js';
import type { Executable } from './executable-pipeline.js';

/** What a run made of every record, as texts to compare: its outcome, and the rows that it has in sinks. */
export interface Ended {
  /** By key. Of a dead record only that it is dead. */
  readonly records: ReadonlyMap<string, string>;
  /** Rows of sinks that must not be there: written behind a function that failed the record. */
  readonly wrongRows: readonly string[];
  readonly states: { readonly [state in Outcome['state']]: number };
}

/** Runs a pipeline over so many records, as one topology has it, in this process. */
export async function runOutcomes(
  { pipeline, spec, outside }: Executable,
  topology: Topology | undefined,
  records: number,
  batchSize: BatchSize,
): Promise<Ended> {
  const world = (outside.world = new World());
  const inputs = Array.from({ length: records }, (_, i) => ({ key: `r${i}`, a: i, b: i % 3, c: i >> 1 }));
  const resources = new Map(
    [...pipeline.functions.values()].flatMap(({ uses = {} }) => Object.values(uses).map((one) => [one.name, one] as const)),
  );
  const fakes = [...resources.values()].map((resource) => fake(resource, {}));
  const outcomes = (await testPipeline(pipeline, inputs, { fakes, batchSize, ...(topology ? { topology } : {}) })) as Outcome[];

  const states = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
  for (const { state } of outcomes) states[state]++;
  return {
    records: new Map(outcomes.map((outcome) => [outcome.key, said(outcome, world)])),
    wrongRows: wrongRows(spec.nodes, world, failuresOf(outcomes, world)),
    states,
  };
}

/**
 * The sinks must hold all of a completed record, in the order written, and nothing of a filtered one. A dead record may have rows of sinks
 * beside the function that failed it.
 */
function said(outcome: Outcome, { rows }: World): string {
  if (outcome.state === 'dead') return 'dead';
  const own = rows.filter(({ record }) => record === outcome.key).map(({ key, value }) => [key, value]);
  return JSON.stringify([outcome, own], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value,
  );
}

/** Each once. A blind call does not know whom it failed: the outcome does. */
function failuresOf(outcomes: readonly Outcome[], { failures }: World): Failure[] {
  const ends = outcomes.flatMap((outcome) => (outcome.state === 'dead' ? [{ node: outcome.in, record: outcome.key }] : []));
  return [...new Map([...failures, ...ends].map((failure) => [`${failure.node} ${failure.record}`, failure])).values()];
}

function wrongRows(nodes: Executable['spec']['nodes'], { rows }: World, failures: readonly Failure[]): string[] {
  const passed = new Map<string, Set<string>>();
  for (const { id, inputs } of nodes) passed.set(id, new Set(inputs.flatMap((input) => [input, ...(passed.get(input) ?? [])])));
  return rows.flatMap(({ node, record }) =>
    failures
      .filter((failure) => failure.record === record && passed.get(node)?.has(failure.node))
      .map((failure) => `${node} wrote ${record}, which ${failure.node} failed`),
  );
}

/** Records that two runs ended differently, and rows that the second should not have written. */
export function differences(a: Ended, b: Ended): string[] {
  const changed = [...a.records]
    .filter(([key, text]) => b.records.get(key) !== text)
    .map(([key, text]) => `${key}: ${text} became ${b.records.get(key) ?? 'nothing'}`);
  return [...changed, ...b.wrongRows];
}
