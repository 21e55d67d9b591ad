/** How sure the heads may be taken to be: found on plans that were not learned from, unless a pipeline has too few of its own to spare (`retrain`). */
export interface Calibration {
  /** Standard deviation of log cost, p95 and throughput around what the heads say, where nothing is overloaded. */
  readonly spread: { readonly cost: number; readonly p95: number; readonly throughput: number };
  /** T of S = σ(ΔU / T), ΔU in standard deviations: see `leadOf`. */
  readonly temperature: number;
  /** How far each head is believed, where it leans from the formula. */
  readonly belief: readonly [Belief, Belief, Belief];
  /** Added besides, for a pipeline whose measurements lie apart from the twin throughout. Default: nothing. */
  readonly offset?: readonly [number, number, number];
}
/** So much of what was learned counts, and only what is beyond the noise: the formula is often right to a thousandth, and a network never is. */
export interface Belief {
  /** 0 leaves the formula alone. */
  readonly trust: number;
  readonly noise: number;
}

export function believed(formula: number, said: number, { trust, noise }: Belief): number {
  const learned = said - formula;
  return formula + trust * Math.sign(learned) * Math.max(0, Math.abs(learned) - noise);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** One judged pair: by how many standard deviations one plan is said to be better, and whether it is. */
export interface Judged {
  readonly lead: number;
  /** 1 or 0; ½ where both are worth the same. */
  readonly better: number;
}

/** Whether the first is better, of two values of which the greater is. */
export const isBetter = (one: number, other: number): number => (one === other ? 0.5 : Number(one > other));

/** The temperature of least log loss, by golden section over its logarithm. */
export function temperatureOf(pairs: readonly Judged[]): number {
  const loss = (temperature: number): number => logLoss(pairs, temperature);
  let [low, high] = [Math.log(0.02), Math.log(50)];
  const ratio = (Math.sqrt(5) - 1) / 2;
  for (let i = 0; i < 40; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(Math.exp(a)) < loss(Math.exp(b))) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

export function logLoss(pairs: readonly Judged[], temperature: number): number {
  return pairs.reduce((sum, { lead, better }) => {
    const x = lead / temperature;
    return sum + better * softplus(-x) + (1 - better) * softplus(x);
  }, 0);
}

/** log(1 + eˣ) */
const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/** Ten of equal width, by what is said: in the mean of each, what was said and what came true; 0 where nothing was said. */
export function reliabilityOf(pairs: readonly Judged[], temperature: number) {
  const bins = Array.from({ length: 10 }, () => ({ pairs: 0, said: 0, was: 0 }));
  for (const { lead, better } of pairs) {
    const said = sigmoid(lead / temperature);
    const bin = bins[Math.min(9, Math.floor(10 * said))]!;
    bin.pairs++;
    bin.said += said;
    bin.was += better;
  }
  return bins.map(({ pairs: count, said, was }) => ({ pairs: count, said: said / (count || 1), was: was / (count || 1) }));
}

/** Expected calibration error over those bins (Guo et al., 2017). */
export function calibrationError(pairs: readonly Judged[], temperature: number): number {
  return (
    reliabilityOf(pairs, temperature).reduce((sum, { pairs: count, said, was }) => sum + count * Math.abs(said - was), 0) / pairs.length
  );
}

/** Root mean square, the outermost hundredth left out; `least` where errors are smaller. */
export function spreadOf(errors: readonly number[], least = 0.005): number {
  const sorted = errors.map(Math.abs).sort((a, b) => a - b);
  const kept = sorted.slice(0, Math.max(1, Math.floor(0.99 * sorted.length)));
  return Math.max(least, Math.sqrt(kept.reduce((sum, error) => sum + error ** 2, 0) / kept.length));
}
