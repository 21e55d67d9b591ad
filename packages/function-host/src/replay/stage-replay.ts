import { StageFailure, type BatchRef, type Stage, type StageInvocation } from '@autoflow/topology';
import type { Ended, InstanceProcess, InvocationResult } from '../process/instance-process.js';
import type { ReplayedInvocation, ReplayRequest } from './contract.js';

/** Codes of records whose process died, as live ones have them. */
const CODES: Partial<Record<Ended['why'], string>> = {
  'out-of-memory': StageFailure.outOfMemory,
  died: StageFailure.instanceDied,
  'timed-out': StageFailure.timedOut,
};

interface Seat {
  readonly memoryMb: number;
  readonly instance: InstanceProcess;
  readonly coldStartMs: number;
}

/** One stage over batch after batch, in one instance for as long as it lives. */
export class StageReplay {
  #seat: Seat | undefined;

  constructor(
    private readonly stage: Stage,
    private readonly request: ReplayRequest,
    private readonly start: (memoryMb: number) => InstanceProcess,
    private readonly tell: (invocation: ReplayedInvocation) => void,
  ) {}

  /** The files that together hold what came of the batch. */
  batch(batchId: string, inputs: readonly BatchRef[], records: number): Promise<readonly BatchRef[]> {
    const { pipeline, release } = this.request;
    const { name, nodes, drops } = this.stage;
    return this.#piece(
      {
        ...{ pipeline, version: 'replay', release, scope: 'replay', batchId, stage: name, nodes, inputs, dispatch: 0, final: true },
        ...(drops && { drops }),
      },
      { from: 0, to: records },
      this.request.memoryMb[name]!,
    );
  }

  async close(): Promise<void> {
    await this.#seat?.instance.close();
    this.#seat = undefined;
  }

  /** Out of memory goes to the next size; what dies all the same is halved, until a record dies alone. */
  async #piece(
    invocation: StageInvocation,
    slice: { readonly from: number; readonly to: number },
    [memoryMb, ...larger]: readonly number[],
  ): Promise<readonly BatchRef[]> {
    const result = await this.#invoke({ ...invocation, slice }, memoryMb!);
    if (result.type === 'answer') return [result.answer.output];
    if (result.type === 'failure') throw new Error(`${result.failure.type}: ${result.failure.message}`);
    this.request.signal.throwIfAborted();
    const { why, message } = result.ended;
    if (why === 'out-of-memory' && larger.length > 0) return this.#piece(invocation, slice, larger);
    const code = CODES[why];
    if (code === undefined) throw new Error(`the instance of stage '${this.stage.name}' did not run: ${message}`);
    const sizes = [memoryMb!, ...larger];
    if (slice.to - slice.from === 1) return this.#piece({ ...invocation, condemn: { code, message } }, slice, sizes);
    const middle = Math.floor((slice.from + slice.to) / 2);
    const first = await this.#piece(invocation, { ...slice, to: middle }, sizes);
    return [...first, ...(await this.#piece(invocation, { ...slice, from: middle }, sizes))];
  }

  async #invoke(invocation: StageInvocation, memoryMb: number): Promise<InvocationResult> {
    const { signal, strict } = this.request;
    signal.throwIfAborted();
    const seat = await this.#seated(memoryMb);
    if ('ended' in seat) return { type: 'ended', ended: seat.ended, begun: false };
    const startedAt = new Date();
    const begin = performance.now();
    const result = await seat.instance.invoke(invocation, strict, signal);
    const durationMs = performance.now() - begin;
    const { coldStartMs } = seat;
    this.#seat = { ...seat, coldStartMs: 0 };
    if (result.type === 'answer') this.tell({ stage: this.stage.name, memoryMb, startedAt, coldStartMs, durationMs, usage: result.usage });
    return result;
  }

  async #seated(memoryMb: number): Promise<Seat | { readonly ended: Ended }> {
    if (this.#seat?.instance.alive && this.#seat.memoryMb === memoryMb) return this.#seat;
    await this.close();
    const begin = performance.now();
    const instance = this.start(memoryMb);
    const ended = await instance.start();
    if (ended !== undefined) return { ended };
    return (this.#seat = { memoryMb, instance, coldStartMs: performance.now() - begin });
  }
}
