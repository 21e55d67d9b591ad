import type { Allocator } from './allocator.js';
import { hpa } from './hpa.js';
import { kedaLike } from './keda.js';
import { staffing } from './staffing.js';

/** The settings among which each rule is tuned. */
export const RULES: { readonly [family: string]: readonly Allocator[] } = {
  hpa: [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].flatMap((target) =>
    [0, 60, 300, 600, 1200].map((seconds) => hpa({ target, stabilisationMs: seconds * 1000 })),
  ),
  'keda-like': [0.15, 0.25, 0.35, 0.5, 0.7].flatMap((perInstance) =>
    [0, 30, 60, 300].map((seconds) => kedaLike({ perInstance, cooldownMs: seconds * 1000 })),
  ),
  staffing: [0.5, 0.8, 1.1, 1.5, 2].flatMap((beta) => [0, 1, 2, 3, 4, 6].map((trend) => staffing({ beta, trend }))),
};

/** What is done where the agent may not: the staffing that `npm run bench -- policy` finds best on the training half of the real traces. */
export const FALLBACK: Allocator = staffing({ beta: 1.1, trend: 3 });
