/** Figures as people read them: three significant digits, the unit beside them. A figure that was not measured is a dash. */

export const MISSING = '–';

export function milliseconds(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return MISSING;
  return ms < 1000 ? `${three(ms)} ms` : `${three(ms / 1000)} s`;
}

export function dollars(usd: number | undefined): string {
  return usd === undefined || !Number.isFinite(usd) ? MISSING : `$${three(usd)}`;
}

export function perSecond(rate: number | undefined): string {
  return rate === undefined || !Number.isFinite(rate) ? MISSING : `${three(rate)}/s`;
}

export function percent(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? MISSING : `${three(share * 100)} %`;
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

export const whole = (n: number): string => n.toLocaleString('en-GB');

/** Never in exponents; `0.000123`, `1.23`, `123`, `1,234`. */
function three(value: number): string {
  return value.toLocaleString('en-GB', value >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
