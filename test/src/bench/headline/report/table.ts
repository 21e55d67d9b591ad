import type { Ratio } from '../../compared.js';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `10.4 × (9.1 to 11.8)`. */
export function shown(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '–';
  const { low, high } = ratio;
  const interval = low === undefined || high === undefined ? 'one repetition' : `${number(low)} to ${number(high)}`;
  return `${number(ratio.ratio)} × (${interval})`;
}

export function welchOf(ratio: Ratio | undefined): string {
  if (ratio?.welch === undefined) return '–';
  const { t, freedom, p } = ratio.welch;
  return `t = ${number(t)}, ν = ${freedom.toFixed(1)}, p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '−∞' : '∞';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

export const percent = (share: number | undefined): string =>
  share === undefined ? '–' : `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(0)} %`;
