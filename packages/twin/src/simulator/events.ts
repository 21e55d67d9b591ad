/** An event is a kind and the index of what it happens to, in one integer. */
export const SHIFT = 26;
export const INDEX = (1 << SHIFT) - 1;

/** What passes Temporal: the start of an execution, the dispatch of an invocation, the settling of an execution. */
export const START = 0;
export const DISPATCH = 1;
export const SETTLE = 2;
/** Added to one of these: Temporal has served it; and its fixed latency has passed. */
export const SERVED = 3;
export const PASSED = 6;

export const LINGER = 9;
export const IO_DONE = 10;
export const CPU_DONE = 11;
/** An instance is ready: for the invocation that asked for it, or for whoever comes. */
export const COLD = 12;
export const AHEAD = 13;
export const REAP = 14;
export const BACKOFF = 15;

export const code = (kind: number, index: number): number => (kind << SHIFT) | index;
