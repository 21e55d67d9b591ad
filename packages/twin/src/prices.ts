/** One published price: US dollars for one unit, who publishes it, and the day on which it was last compared. */
export interface Price {
  readonly usd: number;
  readonly source: string;
  readonly asOf: string;
}

/** All that costs money in the model. Override single prices with `{ ...PUBLISHED_PRICES, temporalAction: … }`. */
export interface Prices {
  /** 1,024 MB of memory for one second of billed time; CPU comes with it. */
  readonly gbSecond: Price;
  /** One invocation, whatever its size. */
  readonly invocation: Price;
  readonly temporalAction: Price;
}

/** On-demand list prices without free tier, volume tier or commitment: what the first user beyond the free tier pays. */
export const PUBLISHED_PRICES: Prices = {
  gbSecond: {
    usd: 0.0000166667,
    source: 'AWS Lambda, on demand, x86, us-east-1: https://aws.amazon.com/lambda/pricing/',
    asOf: '2026-05-05',
  },
  invocation: { usd: 0.2 / 1e6, source: 'AWS Lambda, requests, us-east-1: https://aws.amazon.com/lambda/pricing/', asOf: '2026-05-05' },
  temporalAction: {
    usd: 50 / 1e6,
    source: 'Temporal Cloud, Actions, first 5 million a month: https://docs.temporal.io/cloud/pricing',
    asOf: '2026-07-02',
  },
};
