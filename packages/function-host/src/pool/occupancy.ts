/** Instance-seconds and MB-seconds since the last reading. */
export interface OccupancyReading {
  readonly from: Date;
  readonly to: Date;
  readonly provisionedS: number;
  readonly busyS: number;
  readonly usedMbS: number;
}

/**
 * Integrates over time how many instances there were, how many of them worked, and how much memory they held.
 * Counts are exact; memory is what `residentMb` says at each sample.
 */
export class Occupancy {
  #instances = 0;
  #busy = 0;
  #residentMb = 0;
  #at = performance.now();
  #from = new Date();
  #sums = { provisionedS: 0, busyS: 0, usedMbS: 0 };

  instanceAdded(): void {
    this.#advance();
    this.#instances++;
  }

  instanceRemoved(): void {
    this.#advance();
    this.#instances--;
  }

  busy(change: 1 | -1): void {
    this.#advance();
    this.#busy += change;
  }

  sample(residentMb: number): void {
    this.#advance();
    this.#residentMb = residentMb;
  }

  read(): OccupancyReading {
    this.#advance();
    const reading = { from: this.#from, to: new Date(), ...this.#sums };
    this.#from = reading.to;
    this.#sums = { provisionedS: 0, busyS: 0, usedMbS: 0 };
    return reading;
  }

  #advance(): void {
    const now = performance.now();
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    this.#sums.provisionedS += this.#instances * seconds;
    this.#sums.busyS += this.#busy * seconds;
    this.#sums.usedMbS += this.#residentMb * seconds;
  }
}
