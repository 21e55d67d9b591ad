import { createHash } from 'node:crypto';
import type { AnyPipeline, Fields } from '@autoflow/pipeline';
import type { ObservedNode, Observer } from '@autoflow/pipeline/runtime';
import type { RecordedCall } from '@autoflow/store';
import { canonicalJson } from '@autoflow/topology/canonical-json';
import { samplePosition } from '@autoflow/topology/sample';
import type { NodeRecording } from './protocol.js';

export interface RecorderSettings {
  /** Of the records, by key. */
  readonly share: number;
  /** Characters of JSON of one invocation; what comes beyond is not recorded. Absent: no bound, for a replay. */
  readonly bound?: number;
}

/** Keeps what nodes were asked and answered about a sample of the records of an invocation, to be told when that is over. */
export class Recorder implements Observer {
  #observed: ObservedNode[] = [];
  readonly #writing: ReadonlySet<string>;

  constructor(
    pipeline: AnyPipeline,
    private readonly settings: RecorderSettings,
  ) {
    const writes = pipeline.wiring.nodes.filter(({ effect }) => effect === 'idempotent-write' || effect === 'write');
    this.#writing = new Set(writes.map(({ id }) => id));
  }

  wants(key: string): boolean {
    return samplePosition(key) < this.settings.share;
  }

  readonly take = (observed: ObservedNode): void => void this.#observed.push(observed);

  /** What was observed since the last time. */
  drain(): NodeRecording[] {
    const { bound = Infinity } = this.settings;
    const recordings: NodeRecording[] = [];
    let size = 0;
    for (const { node, key, calls } of this.#observed.splice(0)) {
      const text = JSON.stringify(this.#writing.has(node) ? calls.map(digested) : calls);
      size += text.length;
      if (size > bound) break;
      recordings.push({ node, key, calls: text });
    }
    return recordings;
  }
}

/** The arguments of a write are compared, and not made again: a digest of them is enough. */
function digested({ input, answer }: ObservedNode['calls'][number]): RecordedCall {
  return { digest: argumentsDigest(input ?? {}), answer };
}

const argumentsDigest = (input: Fields): string => createHash('sha256').update(canonicalJson(input)).digest('hex');
