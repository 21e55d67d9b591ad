import { randomBytes } from 'node:crypto';

/**
 * Names one run of load. Every key of it carries the run, a number, and the moment at which the record was meant to arrive: outcomes tell
 * their own latency, however many there are, and nothing has to be remembered about a record after it was sent.
 */
export interface RunMark {
  /** Part of every key of the run and of no other. */
  readonly text: string;
  /** `intendedMs` counts from the start of the run. */
  stamp(key: string, number: number, intendedMs: number): string;
  /** What `stamp` was given; undefined for a key of something else. */
  intendedMs(key: string): number | undefined;
}

export function runMark(run = randomBytes(4).toString('hex')): RunMark {
  const text = `~${run}.`;
  return {
    text,
    stamp: (key, number, intendedMs) => `${key}${text}${number.toString(36)}.${Math.round(intendedMs * 1000).toString(36)}`,
    intendedMs: (key) => {
      const at = key.lastIndexOf(text);
      const [number, micros] = at < 0 ? [] : key.slice(at + text.length).split('.');
      return number === undefined || micros === undefined || !/^[0-9a-z]+$/.test(micros) ? undefined : parseInt(micros, 36) / 1000;
    },
  };
}
