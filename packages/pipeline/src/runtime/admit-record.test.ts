import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { definePipeline, specOf } from '../index.js';
import { admitRecord } from './index.js';

const In = z.object({
  no: z.union([z.string(), z.int()]),
  at: z.iso.datetime().optional(),
  tags: z.array(z.string().max(3)).default([]),
  note: z.string().nullable().optional(),
});
const pipeline = definePipeline('p', { input: In, key: 'no', output: In.pick({ no: true }) }, (r) => r);

describe.each([
  ['the pipeline', pipeline],
  ['its spec, as stored', JSON.parse(JSON.stringify(specOf(pipeline))) as ReturnType<typeof specOf>],
])('by %s', (_, by) => {
  test('declared fields, with defaults, are taken as a frozen copy', () => {
    const given = { no: 7, extra: { x: 1 }, note: null };
    const admitted = admitRecord(by, given);
    expect(admitted).toEqual({ ok: true, key: '7', fields: { no: 7, tags: [], note: null } });
    expect(admitted.ok && Object.isFrozen(admitted.fields)).toBe(true);
  });

  test.each<[string, unknown, RegExp[]]>([
    ['no object', 'x', [/^the record is no JSON object$/]],
    ['a list', [], [/^the record is no JSON object$/]],
    ['null', null, [/^the record is no JSON object$/]],
    ['no key', {}, [/^no: /]],
    ['an empty key', { no: '' }, [/^no: the key is empty$/]],
    ['a key too long', { no: 'x'.repeat(513) }, [/^no: the key has 513 characters, more than 512$/]],
    ['several wrong fields', { no: 'a', at: 'yesterday', tags: ['long tag'] }, [/^at: /, /^tags.0: /]],
  ])('%s', (_name, value, problems) => {
    const refused = admitRecord(by, value);
    expect(refused.ok).toBe(false);
    for (const problem of problems) expect(!refused.ok && refused.problems).toContainEqual(expect.stringMatching(problem));
  });

  test('no more than twenty problems are told', () => {
    const refused = admitRecord(by, { no: 'a', tags: Array.from({ length: 50 }, () => 'long tag') });
    expect(!refused.ok && refused.problems.slice(19)).toEqual([expect.stringMatching(/^tags.19/), 'and 30 more']);
  });
});

test('a value that nests without end is refused, not thrown', () => {
  const anything = definePipeline(
    'q',
    { input: z.object({ no: z.string(), any: z.json() }), key: 'no', output: z.object({ no: z.string() }) },
    (r) => r,
  );
  let deep: unknown[] = [];
  for (let i = 0; i < 200_000; i++) deep = [deep];
  expect(admitRecord(anything, { no: 'a', any: deep })).toMatchObject({ ok: false });
});

test('the spec is plain JSON and the same from any definition of the same wiring', () => {
  const spec = specOf(pipeline);
  expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  expect(spec).toMatchObject({ name: 'p', key: 'no', input: ['no', 'at', 'tags', 'note'], output: ['no'], nodes: [], resources: [] });
  expect(spec.schemas.input).toMatchObject({ type: 'object', required: ['no'] });
});
