import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ACTION_COUNT } from './actions.js';
import { PARAMETERS } from './network.js';
import { OBSERVED } from './observation.js';

/** A trained agent: its parameters, and between which observations it may be trusted. */
export interface Policy {
  readonly parameters: Float32Array;
  readonly range: ObservedRange;
  /** How it was made, in figures. */
  readonly trained: object;
}

/** Least and most of each observation that the policy met in training. */
export interface ObservedRange {
  readonly least: readonly number[]; // [OBSERVED]
  readonly most: readonly number[]; // [OBSERVED]
}

export class PolicyError extends Error {
  constructor(
    readonly code: 'NOT_A_POLICY' | 'NEWER_FORMAT' | 'OTHER_NETWORK' | 'CORRUPTED',
    message: string,
  ) {
    super(message);
    this.name = 'PolicyError';
  }
}

const FORMAT = 'autoflow-agent';
const VERSION = 1;

/** As JSON; the weights as base64 of 32-bit floats, lowest byte first, under a checksum. */
export function writePolicy({ parameters, range, trained }: Policy): string {
  const weights = bytesOf(parameters);
  const document = {
    format: FORMAT,
    version: VERSION,
    network: { observed: OBSERVED, actions: ACTION_COUNT, parameters: PARAMETERS },
    trained,
    range,
    sha256: digest(weights),
    weights: weights.toString('base64'),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Answers the policy, or throws a `PolicyError` that says what is wrong with the text: a half-read policy never decides anything. */
export function parsePolicy(text: string): Policy {
  const document = objectOf(text);
  if (document['format'] !== FORMAT) throw new PolicyError('NOT_A_POLICY', `this is not a policy: its format is not '${FORMAT}'.`);
  if (document['version'] !== VERSION)
    throw new PolicyError(
      'NEWER_FORMAT',
      `the policy has format version ${String(document['version'])}, this AutoFlow reads ${VERSION}. Train it anew, or update.`,
    );
  const network = document['network'] as { observed?: unknown; actions?: unknown; parameters?: unknown } | undefined;
  if (network?.observed !== OBSERVED || network.actions !== ACTION_COUNT || network.parameters !== PARAMETERS)
    throw new PolicyError(
      'OTHER_NETWORK',
      `the policy is of another network (${JSON.stringify(network)}); this one observes ${OBSERVED}, has ${ACTION_COUNT} actions and ${PARAMETERS} parameters. Train it anew.`,
    );
  const weights = Buffer.from(String(document['weights']), 'base64');
  if (weights.length !== 4 * PARAMETERS || digest(weights) !== document['sha256'])
    throw new PolicyError('CORRUPTED', 'the weights of the policy do not match its checksum. Get the file again, or train it anew.');
  const parameters = floatsOf(weights);
  const range = document['range'] as ObservedRange | undefined;
  if (!parameters.every(Number.isFinite) || !isRange(range))
    throw new PolicyError('CORRUPTED', 'the policy holds numbers that are not finite, or no range of observations. Train it anew.');
  return { parameters, range, trained: (document['trained'] ?? {}) as object };
}

/** The policy that comes with AutoFlow, trained in the twin on the training half of the real traces. */
export function pretrainedPolicy(): Policy {
  return parsePolicy(readFileSync(new URL('../../policies/agent.json', import.meta.url), 'utf8'));
}

function objectOf(text: string): { readonly [key: string]: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as { readonly [key: string]: unknown };
  } catch {
    // Said below.
  }
  throw new PolicyError('NOT_A_POLICY', 'this is not a policy: it is no JSON object.');
}

function isRange(range: ObservedRange | undefined): range is ObservedRange {
  const whole = (values: unknown): boolean => Array.isArray(values) && values.length === OBSERVED && values.every(Number.isFinite);
  return range !== undefined && whole(range.least) && whole(range.most);
}

export function bytesOf(parameters: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * parameters.length);
  parameters.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes;
}

export function floatsOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** What a proof of one policy is told apart by from those of others. */
export const policyHash = ({ parameters, range }: Policy): string =>
  digest(Buffer.concat([bytesOf(parameters), Buffer.from(JSON.stringify(range))]));

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
