/** Figures beside each other. What was not measured is a dash. */

const MISSING = '–';

export const whole = (n: number): string => n.toLocaleString('en-GB');

export function shown(format: (value: number) => string, value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? MISSING : format(value);
}

/** How many times the first the second is: `×12.3`, or `÷4.56` when it is less. */
export function times(before: number | undefined, after: number | undefined): string {
  const ratio = ratioOf(before, after);
  if (ratio === undefined) return MISSING;
  return ratio >= 1 ? `×${three(ratio)}` : `÷${three(1 / ratio)}`;
}

/** Undefined where there is none: a figure was not measured, or is zero. */
export function ratioOf(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined || !(before > 0) || !(after > 0)) return undefined;
  return after / before;
}

const three = (value: number): string =>
  value.toLocaleString('en-GB', value >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
