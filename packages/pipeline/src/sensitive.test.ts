import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineExpand } from './expand.js';
import { defineFilter } from './filter.js';
import { defineFunction } from './function.js';
import { definePipeline } from './pipeline.js';
import { admitRecord } from './runtime/admit-record.js';
import { blankOut, redactFields, sensitive, sensitiveValues } from './sensitive.js';
import { specOf } from './spec-of.js';
import { TerminalError } from './terminal-error.js';
import { testPipeline } from './testing/test-pipeline.js';

const input = z.object({
  id: z.string(),
  email: sensitive(z.string()).optional(),
  people: z.array(z.object({ name: z.string(), tax: z.string().meta({ sensitive: true }) })),
});
const greet = defineFunction('greet', {
  effect: 'pure',
  reads: input.omit({ id: true }),
  writes: z.object({ pin: sensitive(z.int()) }),
  handle: ({ email, people }) => {
    if (email === 'dies@x.org')
      throw new TerminalError('NO_MAIL', `cannot greet ${email} with ${people[0]?.tax ?? ''} and ${people[0]?.name ?? ''}`);
    return { pin: 4711 };
  },
});
const known = defineFilter('known', {
  reads: z.object({ pin: z.int(), email: z.string().optional() }),
  keep: ({ pin, email }) => (email === 'gone@x.org' ? `pin ${pin} of ${email} is unknown` : true),
});
const pipeline = definePipeline('people', { input, key: 'id', output: z.object({ id: z.string(), pin: z.int() }) }, (record) =>
  known(greet(record)),
);
const spec = specOf(pipeline);
const record = { id: 'r1', email: 'dies@x.org', people: [{ name: 'Ann', tax: 'TAX-123' }] };

test('a mark changes neither the type nor what is accepted', () => {
  expectTypeOf(sensitive(z.string())).toEqualTypeOf<z.ZodString>();
  expectTypeOf<z.output<typeof input>['email']>().toEqualTypeOf<string | undefined>();
  expect(admitRecord(pipeline, record)).toMatchObject({ ok: true });
  expect(admitRecord(spec, record)).toMatchObject({ ok: true });
});

test('the spec carries the paths, of any function’s fields and to any depth; nothing where nothing is marked', () => {
  expect(spec.sensitive).toEqual(['/email', '/people/*/tax', '/pin']);
  const open = definePipeline('open', { input: z.object({ id: z.string() }), key: 'id', output: z.object({ id: z.string() }) }, (r) => r);
  expect('sensitive' in specOf(open)).toBe(false);
});

test('schemas that contain themselves and children of expands are gone through', () => {
  interface Tree {
    secret: string;
    inner: Tree[];
  }
  const tree: z.ZodType<Tree> = z.lazy(() => z.object({ secret: sensitive(z.string()), inner: z.array(tree) }));
  const split = defineExpand('split', {
    reads: z.object({ rows: z.array(z.string()) }),
    writes: z.object({ card: sensitive(z.string()) }),
    children: ({ rows }) => rows.map((card) => ({ card })),
  });
  expect(split.definition.name).toBe('split');
  const nested = definePipeline(
    'nested',
    { input: z.object({ id: z.string(), tree: tree as never }), key: 'id', output: z.object({ id: z.string() }) },
    (r) => r,
  );
  expect(specOf(nested).sensitive).toContain('/tree/inner/*/secret');
});

test('a key cannot be sensitive', () => {
  const id = z.object({ id: sensitive(z.string()) });
  expect(() => definePipeline('keyed', { input: id, key: 'id', output: id }, (r) => r)).toThrow(/'id', which is marked as sensitive/);
});

test('what is shown has the values blanked out; what is stored keeps them', () => {
  const shown = redactFields({ ...record, pin: 4711 }, spec.sensitive);
  expect(shown).toEqual({ id: 'r1', email: '[redacted]', people: [{ name: 'Ann', tax: '[redacted]' }], pin: '[redacted]' });
  expect(record.email).toBe('dies@x.org');
  expect(redactFields(record, undefined)).toBe(record);
  expect(redactFields({ id: 'x', email: null, people: 'odd' }, spec.sensitive)).toEqual({ id: 'x', email: null, people: 'odd' });
});

test('messages of deaths and reasons of filters quote no value of a sensitive field', async () => {
  const [dead, filtered] = await testPipeline(pipeline, [record, { ...record, id: 'r2', email: 'gone@x.org' }]);
  expect(dead).toMatchObject({ state: 'dead', message: 'cannot greet [redacted] with [redacted] and Ann' });
  expect(filtered).toMatchObject({ state: 'filtered', reason: 'pin [redacted] of [redacted] is unknown' });
});

test('short values are left alone, long ones go before those they contain', () => {
  const values = sensitiveValues({ a: 'ab', b: ['abc', 'abcdef'], c: 12, d: { e: 'line\n"two"' } }, ['/a', '/b', '/c', '/d']);
  expect(values).toEqual(['line\\n\\"two\\"', 'line\n"two"', 'abcdef', 'abc']);
  expect(blankOut('ab abcdef 12 {"e":"line\\n\\"two\\""}', values)).toBe('ab [redacted] 12 {"e":"[redacted]"}');
});
