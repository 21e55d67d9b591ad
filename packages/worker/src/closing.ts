/** Closes what was opened, in reverse order, also when a start fails half-way. */
export class Closing {
  private readonly opened: { close(): Promise<void> }[] = [];
  add<T extends { close(): Promise<void> }>(opened: T): T {
    this.opened.push(opened);
    return opened;
  }
  /** Goes on after trouble with one of them, and then rejects with the first. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const opened of this.opened.splice(0).reverse()) await opened.close().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
