import type { Json } from '../json.js';

/** Thrown for what JSON could not carry; the message says what was found where. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
}

/** Levels of lists and objects. `JSON.stringify` fails at some thousands, depending on the stack that is left: this is far within. */
export const DEEPEST = 500;

/**
 * A deeply frozen copy of an answer, equal to what JSON would make of it: so a value is the same whether or not a stage boundary lies
 * between its writer and its reader, and nobody holds a record's insides. Throws for what JSON would change in silence,
 * and a RangeError for what is nested deeper than `DEEPEST`, as a circle is.
 */
export function takeJson(value: unknown, where: string, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new NotJsonError(`${where} is ${value}`);
      return value === 0 ? 0 : value; // JSON keeps no -0
    case 'object':
      if (value === null) return null;
      if (depth === DEEPEST) throw new RangeError(`nested deeper than ${DEEPEST} levels`);
      if (Array.isArray(value)) return Object.freeze(Array.from(value, (element, i) => takeJson(element, `${where}[${i}]`, depth + 1)));
      return takeObject(value, where, depth + 1);
    default:
      throw new NotJsonError(`${where} is ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
  }
}

function takeObject(value: object, where: string, depth: number): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new NotJsonError(`${where} is a ${value.constructor?.name ?? 'class instance'}`);
  const taken: { [key: string]: Json } = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const json = takeJson(inner, `${where}.${key}`, depth);
    if (key === '__proto__') Object.defineProperty(taken, key, { value: json, enumerable: true });
    else taken[key] = json;
  }
  return Object.freeze(taken);
}

/** Freezes a parsed JSON value to its depth. A frozen one is taken to be frozen to its depth: `takeJson` and this see to it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
