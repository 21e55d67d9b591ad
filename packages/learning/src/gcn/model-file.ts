import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { EDGE_FEATURES, GLOBAL_FEATURES, NODE_FEATURES } from '../features.js';
import type { Belief, Calibration } from './calibration.js';
import { WEIGHTS, type Weights } from './network.js';
import type { Normalisation } from './normalisation.js';

export const FORMAT = 'autoflow-gcn/3';
/** Goes up when what a feature means changes: weights of another one are worth nothing. */
export const FEATURE_SCHEMA = `1:${NODE_FEATURES}/${EDGE_FEATURES}/${GLOBAL_FEATURES}`;

/** A trained scorer, with what it was made from and how good it was on pipelines that it had not seen. */
export interface GcnModel {
  readonly graph: boolean;
  readonly seed: number;
  /** SHA-256 of the labelled plans. */
  readonly dataHash: string;
  readonly normalisation: Normalisation;
  readonly calibration: Calibration;
  readonly metrics: { readonly [name: string]: number };
  readonly weights: Weights;
}

export class ModelError extends Error {
  constructor(
    readonly code: 'UNREADABLE' | 'OTHER_FORMAT' | 'OTHER_FEATURES' | 'DAMAGED',
    message: string,
  ) {
    super(message);
    this.name = 'ModelError';
  }
}
const REMEDY = 'Make one by `npm run train:gcn -w @autoflow/learning`.';

export function serialiseModel(model: GcnModel): string {
  const weights = Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, base64(model.weights[name]!)]));
  const content = { ...model, weights };
  return `${JSON.stringify({ format: FORMAT, features: FEATURE_SCHEMA, sha256: digest(content), ...content })}\n`;
}

/** Throws a `ModelError` for everything but a whole model of this format and these features. */
export function parseModel(text: string): GcnModel {
  let file: { readonly [key: string]: unknown };
  try {
    file = JSON.parse(text) as typeof file;
  } catch {
    throw new ModelError('DAMAGED', `The model file is truncated or no JSON. ${REMEDY}`);
  }
  if (typeof file !== 'object' || file === null) throw new ModelError('OTHER_FORMAT', `The model file holds no model. ${REMEDY}`);
  const { format, features, sha256, ...content } = file;
  if (format !== FORMAT)
    throw new ModelError('OTHER_FORMAT', `The model file is of format ${String(format)}; this version reads ${FORMAT}. ${REMEDY}`);
  if (features !== FEATURE_SCHEMA)
    throw new ModelError('OTHER_FEATURES', `The model was trained on features ${String(features)}; these are ${FEATURE_SCHEMA}. ${REMEDY}`);
  if (sha256 !== digest(content))
    throw new ModelError('DAMAGED', `The model file was changed after it was written: its digest differs. ${REMEDY}`);
  const stored = content as unknown as Omit<GcnModel, 'weights'> & { readonly weights: { readonly [name: string]: string } };
  const weights = Object.fromEntries(
    Object.entries(WEIGHTS).map(([name, shape]) => {
      const values = floats(stored.weights[name] ?? '');
      if (values.length !== shape.reduce((a, b) => a * b, 1) || !values.every(Number.isFinite))
        throw new ModelError('DAMAGED', `Weight '${name}' is missing, of another shape or not finite. ${REMEDY}`);
      return [name, values];
    }),
  );
  const { calibration, normalisation } = stored;
  const { offset } = calibration;
  const spread: Partial<Calibration['spread']> | undefined = calibration.spread;
  const positive = [
    calibration.temperature,
    ...[spread?.cost, spread?.p95, spread?.throughput],
    ...normalisation.nodes.deviation,
    ...normalisation.global.deviation,
  ];
  const isBelief = ({ trust, noise }: Belief): boolean => [trust, noise].every(Number.isFinite) && trust >= 0 && trust <= 1 && noise >= 0;
  if (
    calibration.belief.length !== 3 ||
    !(offset === undefined || (offset.length === 3 && offset.every(Number.isFinite))) ||
    !calibration.belief.every(isBelief) ||
    !positive.every((value) => value !== undefined && Number.isFinite(value) && value > 0)
  )
    throw new ModelError('DAMAGED', `Calibration or scales of the model make no sense. ${REMEDY}`);
  return { ...stored, weights };
}

export async function readModel(path: string | URL): Promise<GcnModel> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ModelError(
      'UNREADABLE',
      `The model file cannot be read: ${error instanceof Error ? error.message : String(error)}. ${REMEDY}`,
    );
  });
  return parseModel(text);
}

/** Whole, or not at all. */
export async function writeModel(path: string, model: GcnModel): Promise<void> {
  await writeFile(`${path}.new`, serialiseModel(model));
  await rename(`${path}.new`, path);
}

/** The one that comes with AutoFlow. */
export const PRETRAINED = new URL('../../models/gcn.json', import.meta.url);

const digest = (content: object): string => createHash('sha256').update(JSON.stringify(content)).digest('hex');

export function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}
export function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4 * Math.floor(bytes.length / 4)));
}
