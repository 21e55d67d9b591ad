/** Rates of the local service: real averages of 2011, moved a little every day by a hash, the same for ever. */

/** Millionths of a unit for one pound. */
const AVERAGE: { readonly [currency: string]: number } = {
  GBP: 1_000_000,
  EUR: 1_152_500,
  AED: 5_890_000,
  AUD: 1_554_000,
  BHD: 604_600,
  BRL: 2_682_000,
  CAD: 1_586_000,
  CHF: 1_421_000,
  CZK: 28_330_000,
  DKK: 8_587_000,
  HKD: 12_480_000,
  ILS: 5_736_000,
  ISK: 186_000_000,
  JPY: 127_900_000,
  LBP: 2_412_000_000,
  LTL: 3_979_000,
  NOK: 8_983_000,
  PLN: 4_745_000,
  SAR: 6_014_000,
  SEK: 10_406_000,
  SGD: 2_016_000,
  USD: 1_603_600,
  ZAR: 11_620_000,
};

/** Integers; within 2 % of the average. Currencies that it does not know are left out. */
export function ratesOn(day: string, currencies: readonly string[]): Record<string, number> {
  const known = currencies.flatMap((currency) => {
    const average = AVERAGE[currency];
    return average === undefined ? [] : [[currency, currency === 'GBP' ? average : moved(average, `${day}/${currency}`)] as const];
  });
  return Object.fromEntries(known);
}

function moved(average: number, name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const permyriad = ((hash >>> 0) % 401) - 200;
  return average + Math.trunc((average * permyriad) / 10_000);
}
