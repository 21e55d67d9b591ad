import { defineFunction } from '@autoflow/pipeline';
import { Invoice, RawInvoice, Risk } from '../records.js';

/**
 * Ordinary baskets drawn for every invoice: the same work for each, about 2 ms of CPU on the machine on which it was calibrated,
 * once (2 cores, Node 20: 180,000 baskets took 2.0 ms). It is a constant of the experiment and is not tuned.
 */
export const SIMULATIONS = 180_000;

/** Medians of the retailer's sales: lines per invoice, pieces per line, pence per piece. */
const ORDINARY = { lines: 15, pieces: 6, pence: 195 } as const;

/**
 * How unusual a basket is, as a Monte Carlo p-value: the share (in permille) of ordinary baskets that are less unusual.
 * Lines, pieces and price are taken to be log-logistic with the shop's medians, under which x / (x + median) is uniform;
 * a basket is the more unusual the further these three lie from one half. Only + × ÷ and integers: the same on every machine.
 */
export const scoreFraud = defineFunction('score-fraud', {
  effect: 'pure',
  reads: RawInvoice.pick({ InvoiceNo: true }).extend(Invoice.pick({ lines: true }).shape),
  writes: Risk,
  handle: ({ InvoiceNo, lines }) => {
    const pieces = lines.reduce((sum, { quantity }) => sum + Math.abs(quantity), 0);
    const pence = lines.reduce((sum, { quantity, unitPence }) => sum + Math.abs(quantity * unitPence), 0);
    const unusual =
      distance(share(lines.length, ORDINARY.lines)) +
      distance(share(pieces / lines.length, ORDINARY.pieces)) +
      distance(share(pieces === 0 ? 0 : pence / pieces, ORDINARY.pence));
    return { riskPermille: Math.floor((1000 * lessUnusual(unusual, seedOf(InvoiceNo))) / SIMULATIONS) };
  },
});

const share = (x: number, median: number): number => x / (x + median);
const distance = (u: number): number => (u - 0.5) * (u - 0.5);

/** How many of the drawn baskets are less unusual. Marsaglia's xorshift32, three draws a basket. */
function lessUnusual(unusual: number, seed: number): number {
  let state = seed;
  let count = 0;
  for (let i = 0; i < SIMULATIONS; i++) {
    let sum = 0;
    for (let feature = 0; feature < 3; feature++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += distance((state >>> 0) / 0x1_0000_0000);
    }
    if (sum < unusual) count++;
  }
  return count;
}

/** FNV-1a, never zero (xorshift would stay there). */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash === 0 ? 1 : hash;
}
