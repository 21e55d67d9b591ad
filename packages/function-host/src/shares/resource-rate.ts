import { TokenBucket } from './token-bucket.js';

/** A rate that nobody here has used for so long is left to the others, and what a release said of it is forgotten. */
const IDLE_MS = 10_000;

interface Use {
  perSecond: number;
  at: number;
  waiting: number;
}

/** How often one resource may be used here. Of the releases that have used it lately, the most careful one is right. */
export class ResourceRate {
  readonly bucket: TokenBucket;
  /** Fleet-wide, as the bucket or the fleet was told last. */
  told: number | undefined;
  readonly #uses = new Map<string, Use>();

  constructor(isOpen: () => boolean) {
    this.bucket = new TokenBucket(isOpen);
  }

  /** Fleet-wide; undefined when nobody has used it lately. */
  get perSecond(): number | undefined {
    const oldest = performance.now() - IDLE_MS;
    for (const [release, { at, waiting }] of this.#uses) if (waiting === 0 && at < oldest) this.#uses.delete(release);
    return this.#uses.size === 0 ? undefined : Math.min(...[...this.#uses.values()].map(({ perSecond }) => perSecond));
  }

  /** Takes note of a use that is waited for; answers what is to be called when it is over. */
  begin(release: string, perSecond: number): () => void {
    const use = this.#uses.get(release) ?? { perSecond, at: 0, waiting: 0 };
    this.#uses.set(release, use);
    Object.assign(use, { perSecond, at: performance.now(), waiting: use.waiting + 1 });
    return () => void Object.assign(use, { at: performance.now(), waiting: use.waiting - 1 });
  }
}
