/** Money is integers: pence, minor units of a currency, millionths of a rate. Sums are then exact in any order. */

/**
 * Reads a decimal amount of pounds (`2.55`, `18.0`, `-11062.06`) as integer pence, exactly; undefined when it is none.
 * Finer prices are rounded half away from zero, as an invoice would: the real file has four of 0.001.
 */
export function parsePence(text: string): number | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, sign, pounds, fraction = ''] = match;
  const mills = Number(fraction.padEnd(3, '0').slice(0, 3));
  const pence = Number(pounds) * 100 + Math.floor((mills + 5) / 10);
  return sign === '-' && pence !== 0 ? -pence : pence;
}

/** Converts pence at a rate into minor units of a currency, rounding half away from zero; exact, hence BigInt inside. */
export function convertPence(pence: number, currency: string, rateMicros: number): number {
  const minorUnits = 10n ** BigInt(MINOR_DIGITS[currency] ?? 2);
  const scale = 100n * 1_000_000n;
  const exact = BigInt(Math.abs(pence)) * BigInt(rateMicros) * minorUnits;
  const rounded = Number((exact + scale / 2n) / scale);
  return pence < 0 && rounded !== 0 ? -rounded : rounded;
}

/** ISO 4217: digits behind the point where they are not two. */
const MINOR_DIGITS: { readonly [currency: string]: number } = { JPY: 0, ISK: 0, BHD: 3 };

/** The currency of a country's customers, by the names the retailer's file uses; undefined for a country it does not know. */
export function currencyOf(country: string): string | undefined {
  return CURRENCIES.get(country);
}

const CURRENCIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    GBP: ['United Kingdom', 'Channel Islands', 'Unspecified'],
    EUR: [
      ...['Austria', 'Belgium', 'Cyprus', 'EIRE', 'European Community', 'Finland', 'France', 'Germany'],
      ...['Greece', 'Italy', 'Malta', 'Netherlands', 'Portugal', 'Spain'],
    ],
    AED: ['United Arab Emirates'],
    AUD: ['Australia'],
    BHD: ['Bahrain'],
    BRL: ['Brazil'],
    CAD: ['Canada'],
    CHF: ['Switzerland'],
    CZK: ['Czech Republic'],
    DKK: ['Denmark'],
    HKD: ['Hong Kong'],
    ILS: ['Israel'],
    ISK: ['Iceland'],
    JPY: ['Japan'],
    LBP: ['Lebanon'],
    LTL: ['Lithuania'],
    NOK: ['Norway'],
    PLN: ['Poland'],
    SAR: ['Saudi Arabia'],
    SEK: ['Sweden'],
    SGD: ['Singapore'],
    USD: ['USA'],
    ZAR: ['RSA'],
  }).flatMap(([currency, countries]) => countries.map((country) => [country, currency] as const)),
);
