import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadyQueue, type Part } from './ready-queue.js';

interface Case {
  readonly stages: readonly { name: string; after: string[]; parts: number }[];
  readonly limit: number;
  /** Which of the parts under way ends next. */
  readonly luck: readonly number[];
}

/** An acyclic graph: a stage comes after earlier ones only. */
const anyCase: fc.Arbitrary<Case> = fc
  .array(fc.record({ after: fc.array(fc.nat(7), { maxLength: 3 }), parts: fc.integer({ min: 0, max: 4 }) }), { minLength: 1, maxLength: 8 })
  .chain((drafts) =>
    fc.record({
      stages: fc.constant(
        drafts.map(({ after, parts }, at) => ({
          name: `s${at}`,
          parts,
          after: [...new Set(after.filter((before) => before < at))].map((before) => `s${before}`),
        })),
      ),
      limit: fc.integer({ min: 1, max: 5 }),
      luck: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
    }),
  );

interface Trace {
  readonly started: Part[];
  readonly mostInFlight: number;
  readonly tooEarly: string[];
  readonly asked: string[];
}

function play({ stages, limit, luck }: Case): Trace & { states: string[] } {
  const queue = new ReadyQueue(stages, limit);
  const partsOf = new Map(stages.map((stage) => [stage.name, stage.parts]));
  const afterOf = new Map(stages.map((stage) => [stage.name, stage.after]));
  const trace: Trace & { mostInFlight: number } = { started: [], mostInFlight: 0, tooEarly: [], asked: [] };
  const running: Part[] = [];
  const done = new Set<string>();
  const take = () => {
    for (const part of queue.take((stage) => {
      trace.asked.push(stage);
      return partsOf.get(stage) ?? 0;
    })) {
      running.push(part);
      trace.started.push(part);
      for (const before of afterOf.get(part.stage) ?? [])
        if (!['done', 'skipped'].includes(queue.state(before))) trace.tooEarly.push(part.stage);
    }
    trace.mostInFlight = Math.max(trace.mostInFlight, running.length);
  };
  take();
  for (let step = 0; running.length > 0; step++) {
    const [part] = running.splice((luck[step % luck.length] ?? 0) % running.length, 1);
    if (part) {
      queue.finish(part);
      done.add(part.stage);
    }
    take();
  }
  return { ...trace, states: stages.map(({ name }) => queue.state(name)) };
}

describe('ReadyQueue', () => {
  it('runs every part of every stage once, none before its inputs are done, never more than the limit', () => {
    fc.assert(
      fc.property(anyCase, (example) => {
        const { started, mostInFlight, tooEarly, asked, states } = play(example);
        const wanted = example.stages.flatMap(({ name, parts }) => Array.from({ length: parts }, (_, part) => `${name}/${part}/${parts}`));
        expect(started.map(({ stage, part, of }) => `${stage}/${part}/${of}`).sort()).toEqual(wanted.sort());
        expect(tooEarly).toEqual([]);
        expect(mostInFlight).toBeLessThanOrEqual(example.limit);
        expect([...asked].sort()).toEqual(example.stages.map(({ name }) => name).sort());
        expect(states).toEqual(example.stages.map(({ parts }) => (parts === 0 ? 'skipped' : 'done')));
      }),
    );
  });

  it('is deterministic: the same events in the same order start the same parts in the same order', () => {
    fc.assert(
      fc.property(anyCase, (example) => {
        expect(play(example).started).toEqual(play(example).started);
      }),
    );
  });

  it('starts what became ready first, and among equals follows the topology', () => {
    const stages = [
      { name: 'a', after: [] },
      { name: 'b', after: [] },
      { name: 'c', after: ['b'] },
      { name: 'd', after: ['a'] },
    ];
    const queue = new ReadyQueue(stages, 2);
    const [a, b] = queue.take(() => 1);
    expect([a?.stage, b?.stage]).toEqual(['a', 'b']);
    queue.finish(b!);
    queue.finish(a!);
    expect(queue.take(() => 1).map(({ stage }) => stage)).toEqual(['c', 'd']);
  });

  it('refuses a part that is not under way', () => {
    expect(() => new ReadyQueue([{ name: 'a', after: [] }], 1).finish({ stage: 'a', part: 0, of: 1 })).toThrow('no part under way');
  });
});
