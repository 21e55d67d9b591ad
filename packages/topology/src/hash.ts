/**
 * Identities of pipelines, releases, topologies and versions: SHA-256 (hex) of canonical JSON.
 * The only file here that needs Node; what runs in the workflow sandbox imports `@autoflow/topology/execution` instead.
 */
import { createHash } from 'node:crypto';
import type { PipelineSpec } from '@autoflow/pipeline';
import { dropsOf } from './canonical-drops.js';
import { canonicalJson } from './canonical-json.js';
import type { Envelope, Topology } from './topology.js';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * Equal for equal wirings: independent of property order, of the order in which fields, resources and secrets are declared, and of the schemas.
 * The order of the nodes counts: it is the order as written, which decides between effects.
 */
export function hashPipeline(spec: PipelineSpec): string {
  return sha256(canonicalJson({ $autoflow: 'pipeline/1', ...canonicalWiring(spec) }));
}

/** Equal for equal wirings with equal code; `bundle` is the bundled module of the pipeline. */
export function hashRelease(spec: PipelineSpec, bundle: Uint8Array): string {
  return sha256(canonicalJson({ $autoflow: 'release/1', wiring: hashPipeline(spec), bundle: sha256(bundle) }));
}

/** Identity of a module that exports several pipelines, which are deployed together: the hash of their hashes. Of one, its own. */
export function hashModule(specs: readonly PipelineSpec[], bundle: Uint8Array): string {
  const hashes = specs.map((spec) => hashRelease(spec, bundle));
  return hashes.length === 1 ? hashes[0]! : sha256(hashes.join('\n'));
}

/** Equal for equal graphs: independent of property order and of the order of stages and of `after`, but not of the order of nodes in a stage. */
export function hashTopology(topology: Topology): string {
  return sha256(canonicalJson({ $autoflow: 'topology/1', ...canonicalTopology(topology) }));
}

/** Identity of a version: registering the same release, topology and envelope again answers the version there is. */
export function hashVersion(version: { readonly release: string; readonly topology: Topology; readonly envelope: Envelope }): string {
  const { release, topology, envelope } = version;
  return sha256(canonicalJson({ $autoflow: 'version/1', release, topology: canonicalTopology(topology), envelope }));
}

/** Stages sorted by name, `after` sorted and without repetitions: what the order in the JSON cannot mean is gone. */
export function canonicalTopology({ stages, batch, lingerMs }: Topology): Topology {
  const sorted = stages.map(({ name, nodes, after, partitions, drops }) => ({
    name,
    nodes,
    after: [...new Set(after)].sort(),
    partitions,
    ...dropsOf(drops),
  }));
  return { stages: sorted.sort(byName), batch: { records: batch.records, bytes: batch.bytes }, lingerMs };
}

/** The order in which a schema lists its fields means nothing. */
function canonicalWiring({ schemas: _, ...wiring }: PipelineSpec): Omit<PipelineSpec, 'schemas'> {
  return {
    ...wiring,
    input: wiring.input.toSorted(),
    output: wiring.output.toSorted(),
    nodes: wiring.nodes.map((node) => ({
      ...node,
      reads: node.reads.toSorted(),
      writes: node.writes.toSorted(),
      uses: node.uses.toSorted(),
    })),
    resources: wiring.resources.map((resource) => ({ ...resource, secrets: resource.secrets.toSorted() })).sort(byName),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
