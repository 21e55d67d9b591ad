/** Numbers by key, the least first. Grows as needed; holds no object per entry. */
export class Heap {
  size = 0;
  private keys = new Float64Array(1024);
  private values = new Int32Array(1024);

  /** Infinite when it is empty. */
  get least(): number {
    return this.size > 0 ? this.keys[0]! : Number.POSITIVE_INFINITY;
  }

  push(key: number, value: number): void {
    if (this.size === this.keys.length) this.grow();
    const { keys, values } = this;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[i] = keys[parent]!;
      values[i] = values[parent]!;
      i = parent;
    }
    keys[i] = key;
    values[i] = value;
  }

  /** The value with the least key; only when it is not empty. */
  pop(): number {
    const { keys, values } = this;
    const least = values[0]!;
    const n = --this.size;
    if (n === 0) return least;
    const key = keys[n]!;
    let i = 0;
    for (let child = 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[i] = keys[child]!;
      values[i] = values[child]!;
      i = child;
    }
    keys[i] = key;
    values[i] = values[n]!;
    return least;
  }

  private grow(): void {
    this.keys = enlarged(this.keys, new Float64Array(2 * this.size));
    this.values = enlarged(this.values, new Int32Array(2 * this.size));
  }
}

/** First in, first out; holds no object per entry. */
export class Fifo {
  private values = new Int32Array(64);
  private head = 0;
  size = 0;

  push(value: number): void {
    if (this.size === this.values.length) this.grow();
    this.values[(this.head + this.size++) & (this.values.length - 1)] = value;
  }

  /** Only when it is not empty. */
  shift(): number {
    const value = this.values[this.head]!;
    this.head = (this.head + 1) & (this.values.length - 1);
    this.size--;
    return value;
  }

  private grow(): void {
    const { values, head } = this;
    this.values = new Int32Array(2 * values.length);
    this.values.set(values.subarray(head));
    this.values.set(values.subarray(0, head), values.length - head);
    this.head = 0;
  }
}

export function enlarged<T extends Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(from: T, to: T): T {
  to.set(from);
  return to;
}
