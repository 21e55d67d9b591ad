/** Since when the idle instances of one pool are idle: the latest is used first, so that the others grow idle and end. */
export class IdleInstances {
  private since = new Float64Array(16);
  private head = 0;
  size = 0;

  /** Infinite when there is none. */
  get oldest(): number {
    return this.size > 0 ? this.since[this.head]! : Number.POSITIVE_INFINITY;
  }

  rest(now: number): void {
    if (this.size === this.since.length) this.grow();
    this.since[(this.head + this.size++) & (this.since.length - 1)] = now;
  }

  wakeLatest(): void {
    this.size--;
  }

  endOldest(): void {
    this.head = (this.head + 1) & (this.since.length - 1);
    this.size--;
  }

  private grow(): void {
    const { since, head } = this;
    this.since = new Float64Array(2 * since.length);
    this.since.set(since.subarray(head));
    this.since.set(since.subarray(0, head), since.length - head);
    this.head = 0;
  }
}
