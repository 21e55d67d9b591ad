import { exponential, uniform } from '../traces/random.js';
import { isUsable, type FunctionCounts } from '../traces/functions.js';

/** Share of the applications that is trained on. */
const TRAINED = 0.6;

export interface FunctionSets {
  readonly train: readonly FunctionCounts[];
  readonly test: readonly FunctionCounts[];
}

/** Usable functions, split by application, so that no application is on both sides, whatever the file's order. */
export function splitFunctions(functions: readonly FunctionCounts[]): FunctionSets {
  const usable = functions.filter(isUsable);
  const trained = ({ app }: FunctionCounts): boolean => (fnv1a(app) % 1000) / 1000 < TRAINED;
  return { train: usable.filter(trained), test: usable.filter((one) => !trained(one)) };
}

/** Stand-ins for the real functions where the data set is not there: days of base, daily swing, drift, spikes and lulls. */
export function syntheticFunctions(count: number, seed: number): FunctionCounts[] {
  const random = uniform(seed);
  const made: FunctionCounts[] = [];
  while (made.length < count) {
    const one = { id: `synthetic-${made.length}`, app: `synthetic-app-${made.length}`, perMinute: syntheticDay(random) };
    if (isUsable(one)) made.push(one);
  }
  return made;
}

function syntheticDay(random: () => number): number[] {
  const base = Math.exp(1 + 3 * random());
  const swing = 0.8 * random();
  const phase = random();
  const [spikes, spike] = [random() < 0.6 ? 0.03 * random() : 0, 2 + 8 * random()];
  const period = random() < 0.3 ? 5 + Math.floor(55 * random()) : 0;
  let drift = 0;
  let left = 0;
  return Array.from({ length: 1440 }, (_, minute) => {
    drift = 0.97 * drift + 0.15 * (random() + random() + random() - 1.5);
    if (left > 0) left--;
    else if (random() < spikes) left = Math.ceil(3 * exponential(random));
    const regular = period > 0 && minute % period === 0 ? spike : 1;
    const rate = base * (1 + swing * Math.sin(2 * Math.PI * (minute / 1440 + phase))) * Math.exp(drift) * (left > 0 ? spike : 1) * regular;
    return Math.max(0, Math.round(rate + Math.sqrt(rate) * 2 * (random() + random() + random() - 1.5)));
  });
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
