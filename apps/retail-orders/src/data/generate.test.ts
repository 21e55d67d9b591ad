import { describe, expect, it } from 'vitest';
import { generateInvoices } from './generate.js';
import { COUNTRIES, KINDS } from './statistics.js';

const invoices = [...generateInvoices({ seed: 7, count: 8_000 })];
const lines = invoices.flatMap(({ rows }) => rows);
const share = <T>(all: readonly T[], is: (one: T) => boolean) => all.filter(is).length / all.length;
const real = Object.values(KINDS).reduce((sum, { invoices }) => sum + invoices, 0);

describe('generated invoices follow the real ones', () => {
  it('in the share of cancellations, of missing customers and of what is filtered', () => {
    expect(real).toBe(24_384);
    const isSale = ({ InvoiceNo, rows }: (typeof invoices)[number]) =>
      !InvoiceNo.startsWith('C') && rows[0]!.CustomerID !== '' && rows.some((row) => Number(row.UnitPrice) > 0 && Number(row.Quantity) > 0);
    expect(share(invoices, ({ InvoiceNo }) => InvoiceNo.startsWith('C'))).toBeCloseTo(3_630 / real, 1.7);
    expect(share(invoices, ({ rows }) => rows[0]!.CustomerID === '')).toBeCloseTo(3_569 / real, 1.7);
    expect(1 - share(invoices, isSale)).toBeGreaterThan(0.275);
    expect(1 - share(invoices, isSale)).toBeLessThan(0.301);
  });

  it('in lines per invoice', () => {
    const sorted = invoices.map(({ rows }) => rows.length).sort((a, b) => a - b);
    expect(lines.length / invoices.length).toBeGreaterThan(19);
    expect(lines.length / invoices.length).toBeLessThan(22.5);
    expect(sorted[sorted.length / 2]).toBeGreaterThanOrEqual(9);
    expect(sorted[sorted.length / 2]).toBeLessThanOrEqual(11);
  });

  it('in countries, days and quirks', () => {
    const perDay = new Map<string, number>();
    for (const { rows } of invoices)
      perDay.set(rows[0]!.InvoiceDate.slice(0, 10), (perDay.get(rows[0]!.InvoiceDate.slice(0, 10)) ?? 0) + 1);
    const known = new Set(COUNTRIES.map(([country]) => country));
    expect(lines.every(({ Country }) => known.has(Country))).toBe(true);
    expect(share(invoices, ({ rows }) => rows[0]!.Country === 'United Kingdom')).toBeCloseTo(22_114 / real, 1);
    expect(Math.max(...perDay.values()) / (invoices.length / perDay.size)).toBeLessThan(3.2);
    expect(share(lines, ({ CustomerID }) => CustomerID !== '' && !/^1\d{4}\.0$/.test(CustomerID))).toBe(0);
    expect(share(lines, ({ Description }) => /[",]/.test(Description))).toBeGreaterThan(0.005);
    expect(share(lines, ({ StockCode }) => !/^\d/.test(StockCode))).toBeCloseTo(2_854 / 502_744, 2);
  });

  it('with keys of their own, in order of time, the same for the same seed', () => {
    expect(new Set(invoices.map(({ InvoiceNo }) => InvoiceNo)).size).toBe(invoices.length);
    const times = invoices.map(({ rows }) => rows[0]!.InvoiceDate);
    expect(times).toEqual([...times].sort());
    expect([...generateInvoices({ seed: 7, count: 50 })]).toEqual([...generateInvoices({ seed: 7, count: 50 })]);
    expect([...generateInvoices({ seed: 8, count: 50 })]).not.toEqual([...generateInvoices({ seed: 7, count: 50 })]);
  });
});
