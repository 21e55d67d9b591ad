/** To the process that asked for this one. Where it is gone nobody wants to know, and this one ends. */
export function tellParent(message: object): void {
  process.send!(message, undefined, undefined, (error) => error !== null && process.exit(0));
}

/** Answers what its parent asks, as long as there is one; nothing happens in a process that nobody started to ask. */
export function answerParent<Request>(answerTo: (request: Request) => Promise<object>): void {
  if (process.send === undefined) return;
  process.on('message', (request: Request) => {
    answerTo(request)
      .then(tellParent)
      .catch(() => process.exit(1));
  });
  process.on('disconnect', () => process.exit(0));
}
