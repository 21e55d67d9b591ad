/** Whose turn it is to be fed: each pipeline's by itself, so that none waits until another one's batch is written. */
import type { Stream } from '@autoflow/store';
import type { Passed } from './pipeline-feed.js';

interface Turn {
  underWay?: Promise<void>;
  readonly streams: number;
  /** Something has come for it since it began. */
  again: boolean;
  /** So has room. */
  room: boolean;
  /** Its last one ended because there was none. */
  full: boolean;
  timer?: NodeJS.Timeout;
}

export class Turns {
  private readonly turns = new Map<string, Turn>();
  private closed = false;

  /** `pass` never rejects. `look` is called when there may be something for a pipeline that does not have its turn: `give` follows. */
  constructor(
    private readonly pass: (pipeline: string, streams: readonly Stream[]) => Promise<Passed>,
    private readonly look: () => void,
    private readonly atLeastEveryMs: number,
  ) {}

  /** Of all that waits: a turn for every pipeline that does not have it now. */
  give(streams: readonly Stream[]): void {
    const pipelines = new Set(streams.map(({ pipeline }) => pipeline));
    for (const [pipeline, { underWay, timer }] of this.turns)
      if (!pipelines.has(pipeline) && underWay === undefined) {
        clearTimeout(timer);
        this.turns.delete(pipeline);
      }
    for (const pipeline of pipelines)
      this.begin(
        pipeline,
        streams.filter((stream) => stream.pipeline === pipeline),
      );
  }

  /** Something waits for it; undefined: for any. */
  rung(pipeline: string | undefined): void {
    const turn = this.turnOf(pipeline);
    if (turn?.underWay === undefined) this.look();
    else turn.again = true;
  }

  /** One of its executions has ended. */
  hasRoom(pipeline: string | undefined): void {
    const turn = this.turnOf(pipeline);
    if (turn?.underWay !== undefined) turn.room = true;
    else if (pipeline === undefined || turn?.full === true) this.look();
  }

  /** Resolves when no pipeline has its turn any more. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { timer } of this.turns.values()) clearTimeout(timer);
    await Promise.all([...this.turns.values()].flatMap(({ underWay }) => underWay ?? []));
  }

  private begin(pipeline: string, streams: readonly Stream[]): void {
    const before = this.turns.get(pipeline);
    if (before?.underWay !== undefined) {
      if (streams.length !== before.streams) before.again = true;
      return;
    }
    clearTimeout(before?.timer);
    const turn: Turn = { streams: streams.length, again: false, room: false, full: false };
    turn.underWay = this.pass(pipeline, streams).then((passed) => this.end(turn, passed));
    this.turns.set(pipeline, turn);
  }

  private end(turn: Turn, { opened, waitMs, full }: Passed): void {
    delete turn.underWay;
    turn.full = full;
    if (this.closed) return;
    if (opened > 0 || turn.again || (full && turn.room)) this.look();
    else turn.timer = setTimeout(this.look, Math.min(Math.max(1, waitMs), this.atLeastEveryMs));
  }

  private turnOf(pipeline: string | undefined): Turn | undefined {
    return pipeline === undefined ? undefined : this.turns.get(pipeline);
  }
}
