/** What versions saved on days that are over. */

/** Milliseconds since the epoch. */
export interface SavingsDayRow {
  readonly pipeline: string;
  readonly version: string;
  readonly against: string;
  readonly from: number;
  readonly to: number;
  /** `Savings` of `@autoflow/experiment` as JSON: a bound that is not known is null, `restoredSavings` reads it. */
  readonly savings: object;
}

export interface SavingsStore {
  /** The first answer stays. */
  keep(day: SavingsDayRow): Promise<void>;
  /** That begin in a window, in order of time. */
  days(pipeline: string, from: number, to: number): Promise<SavingsDayRow[]>;
}
