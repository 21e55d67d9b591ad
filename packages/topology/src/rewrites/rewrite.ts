import type { Fields, PipelineSpec } from '@autoflow/pipeline';
import { canonicalJson } from '../canonical-json.js';
import { canonicalTopology } from '../hash.js';
import type { Topology } from '../topology.js';
import { tidy } from './graph.js';

/** What one function needs in an instance, as measured: MB once, and MB for each record that it holds. */
export type WorkingSets = { readonly [node: string]: { readonly fixedMb: number; readonly perRecordMb: number } };

/** What bounds a topology besides its pipeline. Without working sets memory is taken to fit, and conditions say so. */
export interface Limits {
  readonly workingSets?: WorkingSets;
  /** Largest memory size that a stage may have; the largest of `MEMORY_SIZES_MB` by default. */
  readonly memoryMb?: number;
  /** Of an instance that has loaded nothing: working sets are beyond it. Default: 0. */
  readonly instanceMb?: number;
}

/** Where a rewrite is to be applied. */
export interface Context {
  readonly spec: PipelineSpec;
  /** Legal. */
  readonly topology: Topology;
  readonly limits: Limits;
}

/** One thing that must hold for a step to be legal: about which nodes or stages, whether it holds, and the facts that decide it. */
export interface Condition {
  readonly condition: string;
  readonly on: readonly string[];
  readonly holds: boolean;
  readonly facts: Fields;
}

interface Definition<S extends { readonly rewrite: string }> {
  readonly name: S['rewrite'];
  /** What stages drop stays dead. Without it the step undoes all drops: what is dead behind a stage depends on the graph, and is found out anew. */
  readonly keepsDrops?: true;
  /** Every step of this kind that the graph has room for, legal or not. */
  places(context: Context): S[];
  /** The topology after the step. Takes one of `places`; throws when a stage or node is not there. */
  apply(topology: Topology, step: S): Topology;
  /** All side conditions of a step, each with what decides it. Takes one of `places`. */
  conditions(context: Context, step: S): Condition[];
  /** What might undo the step; whether it does is found out by trying. */
  undo?(before: Topology, step: S): { readonly rewrite: string } | undefined;
}

/** One kind of legal change of a topology: pure, and of JSON steps. */
export interface Rewrite<S extends { readonly rewrite: string }> extends Definition<S> {
  /** Every step of this kind that keeps all outcomes; the others lack a side condition. */
  candidates(spec: PipelineSpec, topology: Topology, limits?: Limits): S[];
}

/** `apply` comes out tidy: stages in running order, without waits that another wait implies, and without drops that the step may have made wrong. */
export function defineRewrite<S extends { readonly rewrite: string }>(definition: Definition<S>): Rewrite<S> {
  return {
    ...definition,
    apply: (topology, step) => {
      const next = tidy(definition.apply(topology, step));
      return definition.keepsDrops ? next : { ...next, stages: next.stages.map(({ drops: _, ...stage }) => stage) };
    },
    candidates(spec, topology, limits = {}) {
      const context = { spec, topology, limits };
      return definition.places(context).filter((step) => definition.conditions(context, step).every(({ holds }) => holds));
    },
  };
}

/** The same graph, whatever the order in which it is written down. */
export function sameTopology(a: Topology, b: Topology): boolean {
  return canonicalJson(canonicalTopology(a)) === canonicalJson(canonicalTopology(b));
}
