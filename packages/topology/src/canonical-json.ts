import { jsonPointer } from './json-pointer.js';

/** Deeper values are refused: the recursion would exhaust the stack, which no caller could handle. */
const MAX_DEPTH = 1000;

/** Terminal: the value is not JSON. `pointer` says where. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
  readonly code = 'NOT_JSON';
  constructor(
    readonly pointer: string,
    found: string,
  ) {
    super(
      `${pointer === '' ? 'the value' : pointer} is ${found}, which has no canonical JSON. Use null, booleans, finite numbers, strings, arrays and plain objects.`,
    );
  }
}

/**
 * Equal values give equal texts, whatever the order of their properties: keys are sorted by UTF-16 code unit, there is no white space,
 * numbers and strings are written as ECMAScript does (so the text is that of RFC 8785). A property whose value is undefined counts as absent.
 * Throws `NotJsonError` for what JSON cannot say: NaN, infinities, bigint, functions, symbols, undefined elsewhere, class instances, cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

function write(value: unknown, path: (string | number)[]): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotJsonError(jsonPointer(...path), String(value));
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (path.length >= MAX_DEPTH)
        throw new NotJsonError(jsonPointer(...path.slice(0, 3)), `nested deeper than ${MAX_DEPTH} levels (or contains itself)`);
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path);
    default:
      throw new NotJsonError(jsonPointer(...path), value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function writeArray(items: readonly unknown[], path: (string | number)[]): string {
  const parts: string[] = [];
  // By index: `map` would leave the holes of a sparse array out.
  for (let i = 0; i < items.length; i++) parts.push(within(path, i, items[i]));
  return `[${parts.join(',')}]`;
}

function writeObject(object: object, path: (string | number)[]): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  // The prototype of an object of another realm (the workflow sandbox) is not our Object.prototype, but has none above it either.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new NotJsonError(
      jsonPointer(...path),
      `an instance of ${(object.constructor as { name?: string } | undefined)?.name ?? 'a class'}`,
    );
  const properties = object as { readonly [key: string]: unknown };
  const parts: string[] = [];
  for (const key of Object.keys(properties).sort()) {
    if (properties[key] !== undefined) parts.push(`${JSON.stringify(key)}:${within(path, key, properties[key])}`);
  }
  return `{${parts.join(',')}}`;
}

function within(path: (string | number)[], segment: string | number, value: unknown): string {
  path.push(segment);
  const text = write(value, path);
  path.pop();
  return text;
}
