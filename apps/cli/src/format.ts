/** Figures as people read them. */

export function ms(value: number): string {
  return value < 1000 ? `${three(value)} ms` : `${three(value / 1000)} s`;
}
export function usd(value: number | undefined): string {
  return value === undefined ? '–' : `$${three(value)}`;
}
export function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${three(share * 100)} %`;
}
export function rate(value: number): string {
  return three(value);
}
export function when(time: string): string {
  return time.replace('T', ' ').slice(0, 19);
}
export function short(hash: string): string {
  return hash.slice(0, 7);
}

function three(value: number): string {
  return value.toLocaleString('en-GB', Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
