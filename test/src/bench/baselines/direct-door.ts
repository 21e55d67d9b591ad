import type { RunMark, Submission, Submitter } from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import type { BenchPlatform } from '../platform.js';
import type { Side } from './cell.js';

interface Waiting {
  readonly record: Fields;
  readonly taken: () => void;
  readonly failed: (error: unknown) => void;
}

/** Cuts batches of a fixed size, commits each and starts its execution: what a client does that has no inbox. */
export class DirectDoor implements Submitter<Fields> {
  private waiting: Waiting[] = [];
  private linger: NodeJS.Timeout | undefined;
  private readonly startedAt = performance.timeOrigin + performance.now();

  constructor(
    private readonly how: { readonly platform: BenchPlatform; readonly side: Side; readonly scope: string; readonly mark: RunMark },
  ) {}

  async submit(records: readonly Fields[]): Promise<Submission> {
    const taken = records.map((record) => new Promise<void>((resolve, reject) => this.put({ record, taken: resolve, failed: reject })));
    await Promise.all(taken);
    return { accepted: records.length, refused: 0 };
  }

  private put(one: Waiting): void {
    const { batch, lingerMs } = this.how.side;
    this.waiting.push(one);
    if (this.waiting.length >= batch) this.flush();
    else this.linger ??= setTimeout(() => this.flush(), lingerMs);
  }

  private flush(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    const batch = this.waiting;
    this.waiting = [];
    this.start(batch.map(({ record }) => record)).then(
      () => batch.forEach(({ taken }) => taken()),
      (error: unknown) => batch.forEach(({ failed }) => failed(error)),
    );
  }

  private async start(records: readonly Fields[]): Promise<void> {
    const { platform, side, scope, mark } = this.how;
    const arrivedAt = records.map((record) => new Date(this.startedAt + (mark.intendedMs(String(record[platform.spec.key])) ?? 0)));
    await platform.start(await platform.admit(side.version, records, { scope, arrivedAt }), side.door);
  }
}
