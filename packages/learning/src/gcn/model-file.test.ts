import { createHash } from 'node:crypto';
import { uniform } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { GLOBAL_FEATURES, NODE_FEATURES } from '../features.js';
import { UNTRIED } from './calibrate.js';
import { ModelError, parseModel, serialiseModel, type GcnModel } from './model-file.js';
import { initialWeights } from './network.js';

const moments = (width: number) => ({ mean: new Array<number>(width).fill(0.5), deviation: new Array<number>(width).fill(2) });
const model: GcnModel = {
  graph: true,
  seed: 1,
  dataHash: 'd1',
  normalisation: { nodes: moments(NODE_FEATURES), global: moments(GLOBAL_FEATURES) },
  calibration: { ...UNTRIED, offset: [0.1, 0, -0.2] },
  metrics: { plans: 12 },
  weights: initialWeights(uniform(1)),
};

describe('a model file', () => {
  it('comes back as it was written', () => {
    expect(parseModel(serialiseModel(model))).toEqual(model);
    const { offset: _, ...calibration } = model.calibration;
    expect(parseModel(serialiseModel({ ...model, calibration }))).toEqual({ ...model, calibration });
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, text.length / 2), 'DAMAGED'],
    ['of another version', (text: string) => text.replace('autoflow-gcn/3', 'autoflow-gcn/7'), 'OTHER_FORMAT'],
    ['of other features', (text: string) => text.replace('"features":"1:', '"features":"9:'), 'OTHER_FEATURES'],
    ['changed', (text: string) => text.replace('"seed":1', '"seed":2'), 'DAMAGED'],
  ])('that is %s is refused', (_, change, code) => {
    expect(() => parseModel(change(serialiseModel(model)))).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['weights.heads', { weights: { ...model.weights, heads: model.weights['heads']!.with(3, Number.NaN) } }],
    ['weights.self2', { weights: { ...model.weights, self2: model.weights['self2']!.subarray(1) } }],
    ['normalisation.nodes.mean', { normalisation: { ...model.normalisation, nodes: moments(NODE_FEATURES - 1) } }],
    ['normalisation.global.mean', { normalisation: { ...model.normalisation, global: moments(GLOBAL_FEATURES + 1) } }],
    ['calibration.temperature', { calibration: { ...UNTRIED, temperature: 0 } }],
    ['calibration.belief', { calibration: { ...UNTRIED, belief: [{ trust: 1.5, noise: 0 }, ...UNTRIED.belief.slice(1)] } }],
    ['calibration.offset', { calibration: { ...UNTRIED, offset: [0, 0] } }],
    ['metrics', { metrics: { plans: Number.NaN } }],
    ['metrics', { metrics: undefined }],
  ])('says that %s is of no use', (field, changed) => {
    expect(() => parseModel(serialiseModel({ ...model, ...changed } as GcnModel))).toThrow(`'${field}' of the model`);
  });
});

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const { format, features, sha256: _, ...content } = JSON.parse(serialiseModel(model)) as Json;
/** As only somebody else's code would write it: the digest fits. */
const written = (changed: object): string => {
  const sha256 = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  return JSON.stringify({ format, features, sha256, ...changed });
};
/** Every field, and every field of every field. */
const pathsOf = (value: unknown): string[][] =>
  isObject(value) ? Object.entries(value).flatMap(([key, own]) => [[key], ...pathsOf(own).map((path) => [key, ...path])]) : [];
const paths = pathsOf(content).filter((path) => !['offset', 'metrics', 'plans'].includes(path.at(-1)!));
const mayBeAnyNumber = (path: readonly string[]): boolean => path[0] === 'seed' || ['mean', 'offset'].includes(path.at(-2)!);
/** `value` in the place of what was there; nothing at all where it is undefined. */
function placed(of: Json, [key, ...rest]: readonly string[], value: unknown): Json {
  const own = of[key!];
  const next = rest.length > 0 && isObject(own) ? placed(own, rest, value) : value;
  return (Array.isArray(of) ? of.with(Number(key), next) : { ...of, [key!]: next }) as Json;
}

it.each([
  ['is missing', undefined],
  ['is null', null],
  ['is an object without fields', {}],
  ['is an array without values', []],
  ['is far off', -1e9],
])('a file with a right digest of which one field %s is refused as damaged, whichever field that is', (_name, value) => {
  expect(paths.length).toBeGreaterThan(60);
  for (const path of paths.filter((one) => typeof value !== 'number' || !mayBeAnyNumber(one))) {
    const text = written(placed(content, path, value));
    expect(() => parseModel(text), path.join('.')).toThrow(ModelError);
  }
});
