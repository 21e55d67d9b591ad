/** The walk over the stages of one execution, and what is known of its records at any moment. */
import { CancellationScope, sleep } from '@temporalio/workflow';
import type { BatchRef, ExecutionArgument, StagePlan } from '@autoflow/topology/execution';
import type { StageProgress } from '../protocol.js';
import { requireMemory, invokeStage } from './activities.js';
import { BISECTION_BUDGET, dispatchPart, type Dispatcher } from './dispatch.js';
import { attemptOf } from './failures.js';
import { distinct, inputOf, nothingLeft, partsNeeded, rangeOf, type Piece } from './pieces.js';
import { ReadyQueue, type Part } from './ready-queue.js';

/** Parts of stages that one execution works on at a time. A part that is being bisected has more activities open than one: its halves go at once. */
const MAXIMUM_IN_FLIGHT = 64;

type Stage = ExecutionArgument['topology']['stages'][number];

/** Files by what they say of a record that is neither filtered nor dying: it is completed, or nothing is known. */
export interface Files {
  readonly outputs: readonly BatchRef[];
  readonly partial: readonly BatchRef[];
}

export class Walk {
  private readonly queue: ReadyQueue;
  private readonly stages: ReadonlyMap<string, Stage>;
  private readonly produced = new Map<string, Piece[]>();
  private readonly statistics = new Map<string, { parts: number; partsDone: number; invocations: number; memoryMb: number }>();
  private bisections = 0;

  constructor(private readonly execution: ExecutionArgument) {
    const { stages } = execution.topology;
    this.stages = new Map(stages.map((stage) => [stage.name, stage]));
    this.queue = new ReadyQueue(stages, MAXIMUM_IN_FLIGHT);
  }

  /** Resolves when every stage is done. The first failure ends the others, waits for them, and is thrown. */
  async run(): Promise<void> {
    const scope = new CancellationScope();
    let failed: { readonly error: unknown } | undefined;
    const advance = async (): Promise<void> => {
      await Promise.all(
        this.queue
          .take((stage) => this.partsOf(stage))
          .map(async (part) => {
            try {
              await this.runPart(part);
            } catch (error) {
              failed ??= { error };
              scope.cancel();
              return;
            }
            this.queue.finish(part);
            if (failed === undefined) await advance();
          }),
      );
    };
    await scope.run(advance);
    if (failed !== undefined) throw failed.error;
  }

  /** The files that settle the records. Of an execution that ended early, also those that no later file replaces. */
  files(endedEarly: boolean): Files {
    const finals = this.execution.topology.stages.filter(({ name }) => this.followers(name).length === 0);
    const outputs = finals.flatMap(({ name }) => this.outputOf(name));
    if (!endedEarly) return { outputs: refsOf(outputs), partial: [] };
    const unreplaced = this.execution.topology.stages
      .filter(
        ({ name }) =>
          !this.isOver(name) || !this.followers(name).every((follower) => this.isOver(follower)) || this.followers(name).length === 0,
      )
      .flatMap(({ name }) => this.outputOf(name));
    // With several last stages a record is completed only when all of them have it.
    const complete = finals.length === 1 || finals.every(({ name }) => this.isOver(name)) ? outputs : [];
    const known = new Set(complete.map(({ ref }) => ref.ref));
    return { outputs: refsOf(complete), partial: refsOf(unreplaced).filter(({ ref }) => !known.has(ref)) };
  }

  progress(): StageProgress[] {
    return this.execution.topology.stages.map(({ name }) => ({
      name,
      state: this.queue.state(name),
      ...(this.statistics.get(name) ?? { parts: 0, partsDone: 0, invocations: 0, memoryMb: 0 }),
      counts: (this.produced.get(name) ?? []).reduce(
        (sum, { ref: { counts } }) => ({
          records: sum.records + counts.records,
          live: sum.live + counts.live,
          filtered: sum.filtered + counts.filtered,
          dying: sum.dying + counts.dying,
        }),
        { records: 0, live: 0, filtered: 0, dying: 0 },
      ),
    }));
  }

  private partsOf(name: string): number {
    const stage = this.stage(name);
    const groups = this.inputGroups(stage);
    if (nothingLeft(groups)) return 0;
    const { batch, topology } = this.execution;
    const parts = partsNeeded(distinct(groups.flat()), batch.counts.records, stage.partitions, topology.batch);
    this.statistics.set(name, { parts, partsDone: 0, invocations: 0, memoryMb: 0 });
    return parts;
  }

  private async runPart(part: Part): Promise<void> {
    const stage = this.stage(part.stage);
    const range = rangeOf(part.part, part.of, this.execution.batch.counts.records);
    const plan = this.planOf(part.stage);
    await dispatchPart(inputOf(distinct(this.inputGroups(stage).flat()), range), plan, this.dispatcher(stage, plan, range));
    const statistics = this.statistics.get(part.stage);
    if (statistics) statistics.partsDone += 1;
  }

  private dispatcher(stage: Stage, plan: StagePlan, range: { from: number; to: number }): Dispatcher {
    const { pipeline, version, release, scope, batchId } = this.execution;
    return {
      invoke: async (invocation, memoryMb) => {
        const statistics = this.statistics.get(stage.name);
        if (statistics) {
          statistics.invocations += 1;
          statistics.memoryMb = Math.max(statistics.memoryMb, memoryMb);
        }
        const request = {
          pipeline,
          version,
          release,
          scope,
          batchId,
          stage: stage.name,
          nodes: stage.nodes,
          ...(stage.drops && { drops: stage.drops }),
          ...invocation,
        };
        try {
          return { kind: 'answer', answer: await invokeStage(request, plan, range.to - range.from, memoryMb) };
        } catch (error) {
          return attemptOf(error);
        }
      },
      sleep: (ms) => sleep(ms),
      requireMemory: (memoryMb) => requireMemory({ batchId, stage: stage.name, memoryMb }),
      emit: (ref) => {
        if (ref.counts.records > 0) this.piecesOf(stage.name).push({ ref, ...range });
      },
      mayBisect: () => this.bisections++ < BISECTION_BUDGET,
    };
  }

  /** Per stage before, its files; the first stages take the batch as admitted. */
  private inputGroups(stage: Stage): (readonly Piece[])[] {
    const { batch } = this.execution;
    if (stage.after.length === 0) return [[{ ref: batch, from: 0, to: batch.counts.records }]];
    return stage.after.map((before) => this.outputOf(before));
  }

  /** A skipped stage passes on what it would have taken. */
  private outputOf(name: string): readonly Piece[] {
    return this.queue.state(name) === 'skipped' ? distinct(this.inputGroups(this.stage(name)).flat()) : (this.produced.get(name) ?? []);
  }

  private piecesOf(name: string): Piece[] {
    const pieces = this.produced.get(name) ?? [];
    this.produced.set(name, pieces);
    return pieces;
  }

  private followers(name: string): string[] {
    return this.execution.topology.stages.filter(({ after }) => after.includes(name)).map((stage) => stage.name);
  }

  private isOver(name: string): boolean {
    const state = this.queue.state(name);
    return state === 'done' || state === 'skipped';
  }

  private stage(name: string): Stage {
    const stage = this.stages.get(name);
    if (stage === undefined) throw new TypeError(`the topology has no stage '${name}'`);
    return stage;
  }

  private planOf(name: string): StagePlan {
    const plan = this.execution.stages[name];
    if (plan === undefined) throw new TypeError(`the argument has no plan for stage '${name}'`);
    return plan;
  }
}

function refsOf(pieces: readonly Piece[]): BatchRef[] {
  return distinct(pieces).map(({ ref }) => ref);
}
