import { defineResource } from '@autoflow/pipeline';

export interface ExchangeRates {
  /** Millionths of a unit of each currency for one pound on a day (`2010-12-01`); a currency without a rate is left out. */
  on(day: string, currencies: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
}

/** The rate service, by HTTP. It is another team's: no more than 64 of us at a time. */
export const exchangeRates = defineResource({
  name: 'exchange-rates',
  secrets: ['RATES_URL'],
  limit: { concurrency: 64 },
  open: ({ secret }): ExchangeRates => {
    const base = secret('RATES_URL');
    return {
      async on(day, currencies, signal) {
        const answer = await fetch(`${base}/rates/${day}?symbols=${currencies.join()}`, { signal });
        if (!answer.ok) throw new Error(`the rate service answered ${answer.status} for ${day}`); // thrown: tried again
        return ((await answer.json()) as { rates: Record<string, number> }).rates;
      },
    };
  },
});
