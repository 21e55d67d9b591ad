import { defineFunction, TerminalError } from '@autoflow/pipeline';
import { currencyOf } from '../money.js';
import { Invoice, Rate } from '../records.js';
import { exchangeRates } from '../resources/exchange-rates.js';

/** Days asked for at the same time by one instance. */
const IN_FLIGHT = 8;

/** The rate of the invoice's day. One request per day in the batch, for all its currencies together. */
export const lookUpRate = defineFunction('look-up-rate', {
  effect: 'read',
  uses: { rates: exchangeRates },
  timeoutMs: 10_000,
  reads: Invoice.pick({ day: true, country: true }),
  writes: Rate,
  async handleBatch(invoices, { rates, signal }) {
    const days = [...new Set(invoices.map(({ day }) => day))];
    const currencies = [...new Set(invoices.flatMap(({ country }) => currencyOf(country) ?? []))].sort();
    const tables = new Map<string, Readonly<Record<string, number>>>();
    for (let i = 0; i < days.length; i += IN_FLIGHT)
      await Promise.all(days.slice(i, i + IN_FLIGHT).map(async (day) => tables.set(day, await rates.on(day, currencies, signal))));

    return invoices.map(({ day, country }) => {
      const currency = currencyOf(country);
      if (currency === undefined)
        return new TerminalError('COUNTRY_UNKNOWN', `the currency of '${country}' is not known; add the country to money.ts`);
      const rateMicros = tables.get(day)?.[currency];
      if (rateMicros === undefined)
        return new TerminalError('RATE_UNKNOWN', `there is no rate for ${currency} on ${day}; ask the rate service for it`);
      return { currency, rateMicros };
    });
  },
});
