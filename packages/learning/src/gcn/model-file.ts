import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { EDGE_FEATURES, GLOBAL_FEATURES, NODE_FEATURES } from '../features.js';
import type { Calibration } from './calibration.js';
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
  const wrong = Object.keys(FIELDS).find((field) => !FIELDS[field]!(fieldOf(content, field)));
  if (wrong !== undefined) throw new ModelError('DAMAGED', `'${wrong}' of the model is missing or makes no sense. ${REMEDY}`);
  const stored = content as unknown as Omit<GcnModel, 'weights'> & { readonly weights: { readonly [name: string]: string } };
  return { ...stored, weights: Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, floats(stored.weights[name]!)])) };
}

type Check = (value: unknown) => boolean;

const isNumber: Check = Number.isFinite;
const isPositive: Check = (value) => isNumber(value) && (value as number) > 0;
const isObject = (value: unknown): value is { readonly [key: string]: unknown } => typeof value === 'object' && value !== null;
const isBelief: Check = (value) =>
  isObject(value) && isShare(value['trust']) && isNumber(value['noise']) && (value['noise'] as number) >= 0;
const isShare: Check = (value) => isNumber(value) && (value as number) >= 0 && (value as number) <= 1;
const many =
  (length: number, check: Check): Check =>
  (values) =>
    Array.isArray(values) && values.length === length && values.every(check);
const isWeight =
  (shape: readonly number[]): Check =>
  (text) => {
    if (typeof text !== 'string') return false;
    const values = floats(text);
    return values.length === shape.reduce((a, b) => a * b, 1) && values.every(Number.isFinite);
  };

/** What a file must hold so that a scorer can be made of it. */
const FIELDS: { readonly [path: string]: Check } = {
  graph: (value) => typeof value === 'boolean',
  seed: isNumber,
  dataHash: (value) => typeof value === 'string',
  'normalisation.nodes.mean': many(NODE_FEATURES, isNumber),
  'normalisation.nodes.deviation': many(NODE_FEATURES, isPositive),
  'normalisation.global.mean': many(GLOBAL_FEATURES, isNumber),
  'normalisation.global.deviation': many(GLOBAL_FEATURES, isPositive),
  'calibration.spread.cost': isPositive,
  'calibration.spread.p95': isPositive,
  'calibration.spread.throughput': isPositive,
  'calibration.temperature': isPositive,
  'calibration.belief': many(3, isBelief),
  'calibration.offset': (value) => value === undefined || many(3, isNumber)(value),
  metrics: (value) => isObject(value) && !Array.isArray(value) && Object.values(value).every(isNumber),
  ...Object.fromEntries(Object.entries(WEIGHTS).map(([name, shape]) => [`weights.${name}`, isWeight(shape)])),
};

const fieldOf = (content: unknown, path: string): unknown =>
  path.split('.').reduce((value, key) => (isObject(value) ? value[key] : undefined), content);

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
