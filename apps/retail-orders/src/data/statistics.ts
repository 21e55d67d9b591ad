/**
 * What the generator follows: figures counted in 'Online Retail' (D. Chen, 2015, UCI Machine Learning Repository, CC BY 4.0;
 * 502,744 lines, 24,384 invoices, 2010-12-01 to 2011-11-25). Nothing here is a copy of a line of it.
 */

/** A distribution by its quantiles at `QUANTILES`; the least is that of 1 %, so that no tail hangs on one odd line. */
export type Quantiles = readonly number[];
export const QUANTILES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1] as const;

export interface Kind {
  /** Invoices of this kind in the file. */
  readonly invoices: number;
  readonly cancelled: boolean;
  /** Share without a customer. */
  readonly anonymous: number;
  readonly lines: Quantiles;
  /** Of a line; the sign is the file's. */
  readonly quantity: Quantiles;
  /** Pounds. */
  readonly price: Quantiles;
}

/** `is-sale` keeps the first and drops the others: 7,025 of 24,384. */
export const KINDS = {
  sale: {
    invoices: 17_359,
    cancelled: false,
    anonymous: 0,
    lines: [1, 2, 5, 8, 11, 15, 19, 24, 32, 48, 64, 87, 107, 132, 219, 542],
    quantity: [1, 1, 2, 2, 4, 6, 8, 12, 12, 24, 36, 96, 120, 200, 504, 74_215],
    price: [0.25, 0.55, 0.85, 1.25, 1.65, 1.95, 2.1, 2.95, 4.15, 6.65, 8.5, 12.75, 14.95, 16.95, 49.95, 8142.75],
  },
  cancellation: {
    invoices: 3_630,
    cancelled: true,
    anonymous: 178 / 3_630,
    lines: [1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 7, 12, 18, 24, 39, 101],
    quantity: [-1, -1, -1, -1, -1, -1, -2, -3, -6, -12, -36, -100, -180, -240, -720, -74_215],
    price: [0.39, 0.85, 1.25, 1.65, 2.08, 2.95, 3.75, 4.95, 7.69, 10.95, 16.95, 181.75, 566.37, 1715.85, 7006.83, 38_970],
  },
  /** Sold to somebody who is not known. */
  anonymous: {
    invoices: 1_367,
    cancelled: false,
    anonymous: 1,
    lines: [1, 1, 2, 5, 15, 36, 53, 91, 171, 239, 355, 518, 572, 601, 675, 1114],
    quantity: [1, 1, 1, 1, 1, 1, 2, 2, 3, 6, 10, 18, 28, 47, 126, 1820],
    price: [0.42, 0.83, 1.63, 2.08, 2.46, 3.29, 4.13, 4.21, 5.91, 9.96, 14.13, 20.38, 25.49, 93.75, 340.72, 13_541.33],
  },
  /** Stock written up or off: no customer, no price. */
  adjustment: {
    invoices: 2_024,
    cancelled: false,
    anonymous: 1,
    lines: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 6],
    quantity: [-1512, -147, -61, -31, -16, -6, -1, 1, 6, 30, 100, 204, 420, 960, 3000, 5568],
    price: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  /** A known customer and not one line with a price. */
  gift: {
    invoices: 4,
    cancelled: false,
    anonymous: 0,
    lines: [1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 4, 4, 4, 4, 4, 4],
    quantity: [1, 1, 16, 16, 96, 96, 144, 144, 192, 12_540, 12_540, 12_540, 12_540, 12_540, 12_540, 12_540],
    price: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
} as const satisfies { readonly [kind: string]: Kind };

/** Invoices by country. */
export const COUNTRIES: readonly (readonly [country: string, invoices: number])[] = Object.entries({
  ...{ 'United Kingdom': 22_114, Germany: 572, France: 426, EIRE: 342, Belgium: 112, Spain: 101, Netherlands: 97, Switzerland: 73 },
  ...{ Australia: 69, Portugal: 65, Italy: 52, Sweden: 44, Finland: 42, Norway: 36, 'Channel Islands': 30, Japan: 26, Poland: 24 },
  ...{ Denmark: 19, Cyprus: 19, Austria: 18, 'Hong Kong': 15, Unspecified: 13, Singapore: 10, Israel: 9, Malta: 9, Iceland: 6 },
  ...{ Canada: 6, Greece: 5, 'Czech Republic': 5, 'European Community': 5, Lithuania: 4, Bahrain: 4, USA: 4 },
  ...{ 'United Arab Emirates': 3, 'Saudi Arabia': 2, Lebanon: 1, Brazil: 1, RSA: 1 },
});

/** Invoices by hour of the day, from 6 to 20. */
export const HOURS = [22, 31, 559, 1711, 2801, 2984, 3731, 3173, 2965, 2912, 1828, 1140, 293, 207, 27] as const;

/** Lines whose stock code is no product, by code. */
export const SERVICE_CODES: readonly (readonly [code: string, lines: number])[] = Object.entries({
  ...{ POST: 1177, DOT: 683, M: 553, C2: 137, D: 75, S: 63, 'BANK CHARGES': 35, AMAZONFEE: 32, CRUK: 14, gift_0001_20: 10 },
});

/** Shares of lines. */
export const SHARES = { service: 2_854 / 502_744, duplicate: 4_728 / 502_744, comma: 4_530 / 502_744, quote: 1_147 / 502_744 } as const;

/** Pounds: no line of the file is worth more. */
export const LARGEST_LINE = 77_183.6;
export const PRODUCTS = 4_024;
export const CUSTOMERS = 4_296;
/** Days on which was sold: all but Saturdays and the days after Christmas; the busiest had 2.6 times the mean. */
export const PERIOD = { from: '2010-12-01', to: '2011-11-25', closed: ['2010-12-24', '2011-01-03'] } as const;
