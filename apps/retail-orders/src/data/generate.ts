import type { RawInvoice, Row } from '../records.js';
import { CUSTOMER_IDS } from '../setup.js';
import { businessTimes } from './business-times.js';
import { random } from './random.js';
import {
  COUNTRIES,
  CUSTOMERS,
  KINDS,
  LARGEST_LINE,
  PRODUCTS,
  QUANTILES,
  SERVICE_CODES,
  SHARES,
  type Kind,
  type Quantiles,
} from './statistics.js';

/**
 * Invoices that look like the real ones, quirks included: cancellations, missing customers, lines without price, duplicates,
 * commas and quotes. In order of time, as text, the same for the same seed; the first n of more are not the same as n.
 */
export function* generateInvoices({ seed, count }: { seed: number; count: number }): Generator<RawInvoice> {
  const draw = draws(random(seed));
  for (const [i, time] of businessTimes(count, random(seed + 1)).entries()) {
    const kind = KINDS[draw.weighted(KIND_WEIGHTS)];
    yield { InvoiceNo: `${kind.cancelled ? 'C' : ''}${536_365 + i}`, rows: rowsOf(kind, time, draw) };
  }
}

type KindName = keyof typeof KINDS;
const KIND_WEIGHTS = Object.entries(KINDS).map(([name, { invoices }]) => [name as KindName, invoices] as const);

function rowsOf(kind: Kind, time: string, draw: Draws): Row[] {
  const anonymous = draw.chance(kind.anonymous);
  const head = {
    InvoiceDate: time,
    CustomerID: anonymous ? '' : `${customer(draw)}.0`,
    Country: anonymous ? 'United Kingdom' : draw.weighted(COUNTRIES),
  };
  const rows: Row[] = [];
  for (let left = Math.round(draw.quantile(kind.lines)); left > 0; left--) {
    const last = rows.at(-1);
    rows.push(last && draw.chance(SHARES.duplicate) ? last : { ...head, ...line(kind, draw) });
  }
  return rows;
}

function line(kind: Kind, draw: Draws): Pick<Row, 'StockCode' | 'Description' | 'Quantity' | 'UnitPrice'> {
  const product = Math.floor(PRODUCTS * draw.uniform() ** 1.7); // a few sell often
  const isService = draw.chance(SHARES.service);
  const { quantity, pounds } = worth(kind, draw);
  return {
    StockCode: isService ? draw.weighted(SERVICE_CODES) : stockCode(product),
    Description: isService ? 'POSTAGE' : pounds === 0 && draw.chance(0.7) ? '' : description(product, draw),
    Quantity: String(quantity),
    UnitPrice: Number.isInteger(pounds) ? `${pounds}.0` : String(pounds),
  };
}

/** Quantity and price are drawn apart; pairs that no real line comes near are drawn again. */
function worth(kind: Kind, draw: Draws): { quantity: number; pounds: number } {
  for (;;) {
    const quantity = Math.round(draw.quantile(kind.quantity)) || 1;
    const pounds = Math.round(draw.quantile(kind.price) * 100) / 100;
    if (Math.abs(quantity) * pounds <= LARGEST_LINE) return { quantity, pounds };
  }
}

/** Prime steps spread neighbours of the popularity order over the whole range. */
const customer = (draw: Draws): number => {
  const rank = Math.floor(CUSTOMERS * draw.uniform() ** 2);
  return CUSTOMER_IDS.from + ((rank * 3_571) % (CUSTOMER_IDS.to - CUSTOMER_IDS.from + 1));
};
const stockCode = (product: number): string => `${20_000 + ((product * 7_919) % 65_000)}${product % 10 === 0 ? 'ABCDEF'[product % 6] : ''}`;

const WORDS = [
  ['WHITE', 'RED', 'CREAM', 'PINK', 'VINTAGE', 'RETROSPOT', 'SET OF 6', 'JUMBO', 'REGENCY', 'WOODEN'],
  ['HEART', 'METAL', 'CHRISTMAS', 'PAISLEY', 'STRAWBERRY', 'UNION FLAG', 'POLKADOT', 'DOILY', 'FELT', 'CAKE'],
  ['LANTERN', 'T-LIGHT HOLDER', 'LUNCH BAG', 'BUNTING', 'CAKESTAND', 'TEA TOWEL', 'FRAME', 'CLOCK', 'DOORMAT', 'BOWL'],
] as const;
function description(product: number, draw: Draws): string {
  const [first, second, third] = WORDS.map((words, i) => words[Math.floor(product / 10 ** i) % words.length]);
  if (draw.chance(SHARES.quote)) return `${first} ${third} 7" SINGLE SIZE `;
  return draw.chance(SHARES.comma) ? `${third}, ${first} ${second}` : `${first} ${second} ${third}`;
}

interface Draws {
  uniform(): number;
  chance(share: number): boolean;
  weighted<T>(choices: readonly (readonly [T, number])[]): T;
  quantile(quantiles: Quantiles): number;
}

function draws(uniform: () => number): Draws {
  return {
    uniform,
    chance: (share) => uniform() < share,
    weighted(choices) {
      let left = uniform() * choices.reduce((sum, [, weight]) => sum + weight, 0);
      return (choices.find(([, weight]) => (left -= weight) < 0) ?? choices[choices.length - 1]!)[0];
    },
    quantile: (quantiles) => between(quantiles, uniform()),
  };
}

/** Inverse of the distribution function: geometric between two quantiles of one sign, straight across zero. */
function between(quantiles: Quantiles, u: number): number {
  const at = Math.max(0, QUANTILES.findIndex((q) => q > u) - 1);
  const [low, high] = [quantiles[at]!, quantiles[at + 1]!];
  const share = (u - QUANTILES[at]!) / (QUANTILES[at + 1]! - QUANTILES[at]!);
  return low * high > 0 ? low * (high / low) ** share : low + (high - low) * share;
}
