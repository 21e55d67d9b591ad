import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

const never = new AbortController().signal;

/** Enters without waiting for it; `inside` grows when it gets in. */
function enterAll(gate: Gate, names: readonly string[], inside: string[]): Promise<() => void>[] {
  return names.map((name) => gate.enter(never).then((leave) => (inside.push(name), leave)));
}

describe('Gate', () => {
  it('lets in at most so many, first come first served', async () => {
    const gate = new Gate(2);
    const inside: string[] = [];
    const entries = enterAll(gate, ['a', 'b', 'c', 'd'], inside);
    const [leaveA] = await Promise.all(entries.slice(0, 2));
    expect(inside).toEqual(['a', 'b']);
    leaveA!();
    await entries[2];
    expect(inside).toEqual(['a', 'b', 'c']);
    expect(gate.inside).toBe(2);
  });

  it('asks for the rank of those who wait whenever somebody may enter', async () => {
    const gate = new Gate(1);
    const leave = await gate.enter(never);
    const ranks: Record<string, number> = { a: 1, b: 1, c: 0 };
    const inside: string[] = [];
    const entries = Object.keys(ranks).map((name) => gate.enter(never, () => ranks[name]!).then((leave) => (inside.push(name), leave)));
    leave();
    const leaveC = await entries[2]!;
    ranks['b'] = 0;
    leaveC();
    (await entries[1]!)();
    await entries[0];
    expect(inside).toEqual(['c', 'b', 'a']);
  });

  it('lets waiters in at once when the limit is raised', async () => {
    const gate = new Gate(1);
    const inside: string[] = [];
    const entries = enterAll(gate, ['a', 'b', 'c'], inside);
    gate.setLimit(3);
    await Promise.all(entries);
    expect(inside).toEqual(['a', 'b', 'c']);
  });

  it('takes a lowered limit into account as holders leave', async () => {
    const gate = new Gate(2);
    const inside: string[] = [];
    const entries = enterAll(gate, ['a', 'b', 'c'], inside);
    const [leaveA, leaveB] = await Promise.all(entries.slice(0, 2));
    gate.setLimit(1);
    leaveA!();
    expect(gate.inside).toBe(1);
    leaveB!();
    await entries[2];
    expect(inside).toEqual(['a', 'b', 'c']);
  });

  it('forgets a waiter that gives up, and a leave that is repeated', async () => {
    const gate = new Gate(1);
    const leave = await gate.enter(never);
    const giving = new AbortController();
    const given = gate.enter(giving.signal);
    const next = gate.enter(never);
    giving.abort(new Error('gave up'));
    await expect(given).rejects.toThrow('gave up');
    await expect(gate.enter(giving.signal)).rejects.toThrow('gave up');
    leave();
    leave();
    await next;
    expect(gate.inside).toBe(1);
  });
});
