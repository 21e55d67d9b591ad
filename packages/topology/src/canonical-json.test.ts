import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { reversed } from './testing/reversed.js';

describe('canonicalJson', () => {
  it('does not depend on the order of properties, at any depth', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('sorts by code unit, not by locale, and writes no white space', () => {
    expect(canonicalJson({ b: 1, Z: [1, { y: null, x: true }], a: 'ä', '😀': 1, '\ufb33': 2 })).toBe(
      '{"Z":[1,{"x":true,"y":null}],"a":"ä","b":1,"😀":1,"\ufb33":2}',
    );
  });

  it('writes numbers as ECMAScript does, so that 1.0, 1e0 and 1 are one, and so are 0 and -0', () => {
    expect(canonicalJson([1.0, 1e21, 1e-7, 0.1, -0])).toBe('[1,1e+21,1e-7,0.1,0]');
  });

  it('counts an undefined property as absent', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([
    [{ a: [1, Number.NaN] }, '/a/1', 'NaN'],
    [{ a: Number.POSITIVE_INFINITY }, '/a', 'Infinity'],
    [[undefined], '/0', 'undefined'],
    [[, 1], '/0', 'undefined'],
    [undefined, '', 'undefined'],
    [{ 'a/b': { '~': 1n } }, '/a~1b/~0', 'bigint'],
    [{ when: new Date(0) }, '/when', 'Date'],
    [{ m: new Map() }, '/m', 'Map'],
    [{ f: () => 1 }, '/f', 'function'],
    [{ s: Symbol('s') }, '/s', 'symbol'],
  ])('refuses %o at %s', (value, pointer, found) => {
    expect(() => canonicalJson(value)).toThrow(
      expect.objectContaining({ code: 'NOT_JSON', pointer, message: expect.stringContaining(found) }),
    );
  });

  it('refuses cycles and absurd depth instead of exhausting the stack', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => canonicalJson(cycle)).toThrow(/nested deeper than 1000/);
    expect(() => canonicalJson(JSON.parse('['.repeat(5000) + ']'.repeat(5000)))).toThrow(/nested deeper than 1000/);
  });
});
