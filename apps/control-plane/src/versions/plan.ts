import type { ProblemLocation } from '@autoflow/client';
import { type ProblemCode, ProblemError } from '@autoflow/http';
import type { PipelineSpec } from '@autoflow/pipeline';
import {
  asWritten,
  defaultAllocation,
  defaultEnvelope,
  parseAllocation,
  parseEnvelope,
  parseTopology,
  validateAllocation,
  validateEnvelope,
  validateTopology,
  type Allocation,
  type Envelope,
  type Problem,
  type Topology,
} from '@autoflow/topology';

export interface Plan {
  readonly topology: Topology;
  readonly envelope: Envelope;
  readonly allocation: Allocation;
}

/** Reads what is given, takes the default for what is not, and refuses what is not legal, with every problem at its place in the body. */
export function planOf(
  spec: PipelineSpec,
  given: { readonly topology?: unknown; readonly envelope?: unknown; readonly allocation?: unknown },
): Plan {
  const topology = given.topology === undefined ? asWritten(spec) : topologyOf(spec, given.topology);
  const envelope = given.envelope === undefined ? defaultEnvelope(spec, topology) : envelopeOf(spec, topology, given.envelope);
  const allocation =
    given.allocation === undefined
      ? defaultAllocation(spec, topology, envelope)
      : allocationOf(spec, topology, envelope, given.allocation, '/allocation');
  return { topology, envelope, allocation };
}

function topologyOf(spec: PipelineSpec, json: unknown): Topology {
  const { topology, problems } = parseTopology(json);
  if (topology === undefined) throw refused('VERSION_ILLEGAL', problems, '/topology');
  refuseAny('VERSION_ILLEGAL', validateTopology(spec, topology), '/topology');
  return topology;
}

function envelopeOf(spec: PipelineSpec, topology: Topology, json: unknown): Envelope {
  const parsed = parseEnvelope(json);
  if (!('envelope' in parsed)) throw refused('ENVELOPE_INVALID', parsed.problems, '/envelope');
  refuseAny('ENVELOPE_INVALID', validateEnvelope(spec, topology, parsed.envelope), '/envelope');
  return parsed.envelope;
}

/** `at`: where in the body the allocation lies, or how a pointer into the allocation becomes one into the body. */
export function allocationOf(spec: PipelineSpec, topology: Topology, envelope: Envelope, json: unknown, at: Place): Allocation {
  const parsed = parseAllocation(json);
  if (!('allocation' in parsed)) throw refused('ALLOCATION_OUT_OF_BOUNDS', parsed.problems, at);
  refuseAny('ALLOCATION_OUT_OF_BOUNDS', validateAllocation(spec, topology, envelope, parsed.allocation), at);
  return parsed.allocation;
}

type Place = string | ((pointer: string) => string);

export function refuseAny(code: ProblemCode, problems: readonly Problem[], at: Place): void {
  if (problems.length > 0) throw refused(code, problems, at);
}

export function refused(code: ProblemCode, problems: readonly Problem[], at: Place): ProblemError {
  const locate = typeof at === 'string' ? (pointer: string) => `${at}${pointer}` : at;
  const errors = problems.map(({ code: what, pointer, message }): ProblemLocation => ({ code: what, pointer: locate(pointer), message }));
  const [first] = problems;
  return new ProblemError(
    code,
    problems.length === 1 && first ? first.message : `There are ${problems.length} problems; the first: ${first?.message}`,
    errors,
  );
}
