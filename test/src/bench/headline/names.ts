/** Of the sides, as reports have them. */
export const NAMES = {
  written: 'as written',
  batched: (records: number | '') => `batches of ${records}`,
  static: 'best static',
  causal: 'best static, tuned before',
  fused: 'fused alone',
  autoflow: 'AutoFlow',
  autoflowFor: (load: string) => `AutoFlow for ${load}`,
} as const;
