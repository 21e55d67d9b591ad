import { expect, it } from 'vitest';
import { asWritten } from '../as-written.js';
import { calls, runOutcomes } from './index.js';

it('a call that cannot tell records apart fails none of them for a while only: the first would use up its attempts for the others', async () => {
  // Some inner sums are zero, in several records.
  const inner = calls(
    { kind: 'expand' },
    { kind: 'expand', on: 1 },
    { kind: 'reduce', on: 2 },
    { on: 3, reads: [3], blind: true, stumbles: 1 },
  );
  expect(inner.spec.nodes[3]).toMatchObject({ id: 'function-3', reads: ['reduce-2-sum'] });
  expect((await runOutcomes(inner, asWritten(inner.spec), 60, 'all')).states.completed).toBe(60);
});

it('one answer of a blind read that remembers serves all records that read the same', async () => {
  const remembering = calls({ effect: 'read', memo: true, blind: true, reads: [2] });
  const { states } = await runOutcomes(remembering, asWritten(remembering.spec), 9, 2);
  expect(states.completed).toBe(9);
  expect(remembering.outside.world.runs).toEqual(new Map([['function-0', 3]]));
});

it.each([true, false])(
  'a row written before or beside a call that fails the record is found once; the call is blind: %s',
  async (blind) => {
    const failing = calls({}, { blind, reads: [1], fails: 40 }, { effect: 'idempotent-write', on: 2 });
    const written = asWritten(failing.spec);
    const [first = '', fails = '', writes = ''] = written.stages.map(({ name }) => name);
    const right = await runOutcomes(failing, written, 10, 1);
    expect(right.states.dead).toBeGreaterThan(0);
    expect(right.wrongRows).toEqual([]);
    for (const before of [writes, first]) {
      const after: Record<string, string[]> = { [writes]: [first], [fails]: [before] };
      const stages = [first, writes, fails].map((name) => ({ name, nodes: [name], after: after[name] ?? [], partitions: 1 }));
      const { wrongRows } = await runOutcomes(failing, { ...written, stages }, 10, 1);
      expect(wrongRows).toHaveLength(right.states.dead);
      expect(wrongRows).toContainEqual(expect.stringMatching(/^function-2 wrote r\d, which function-1 failed$/));
    }
  },
);
