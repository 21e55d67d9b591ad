/** Thrown while a pipeline is defined. `code` is stable; the message says what was found and what to do. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  constructor(
    readonly code: string,
    readonly found: string,
    readonly remedy: string,
  ) {
    super(`${found}. ${remedy[0]?.toUpperCase()}${remedy.slice(1)}.`);
  }
}
