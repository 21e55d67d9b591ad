/**
 * Runs the work so that two runs never overlap. A call during a run leads to one more run after it;
 * each call resolves when a run that began after it is done. The work must not reject.
 */
export function singleFlight(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    current = work().finally(() => (current = undefined));
    return current;
  };
  return () => {
    if (current === undefined) return begin();
    next ??= current.then(begin);
    return next;
  };
}
