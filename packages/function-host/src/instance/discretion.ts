import { blankOut, sensitiveValues } from '@autoflow/pipeline';
import type { ChildState, RecordState } from '@autoflow/pipeline';

/**
 * Blanks the values of sensitive fields out of what handlers log and write while their records are at hand: values as the records brought
 * them into the stage. A value that is quoted in another form, cut in two by two writes, made within the stage, or written past this
 * process's own streams (by a child process, or to a descriptor) stands.
 */
export class Discretion {
  #values: () => readonly string[] = none;

  constructor(private readonly paths: readonly string[]) {}

  /** From now on it is about these. Values are collected when first something is said. */
  about(records: readonly RecordState[]): void {
    if (this.paths.length === 0) return;
    let found: readonly string[] | undefined;
    this.#values = () => (found ??= valuesIn(records, this.paths));
  }

  readonly blank = (text: string): string => blankOut(text, this.#values());

  /** Whatever is written to the stream by way of this process's own object for it. */
  watch(stream: NodeJS.WriteStream): void {
    if (this.paths.length === 0) return;
    const write = stream.write.bind(stream) as (chunk: string, ...rest: unknown[]) => boolean;
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) =>
      write(this.blank(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()), ...rest)) as typeof stream.write;
  }

  /** Of an error that nobody catches, which Node would write past `watch`. A handler's own listener takes precedence, as without us. */
  watchUncaught(): void {
    if (this.paths.length === 0) return;
    process.on('uncaughtException', (error: unknown) => {
      if (process.listenerCount('uncaughtException') > 1) return;
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    });
  }
}

const none = (): readonly string[] => [];

function valuesIn(records: readonly RecordState[], paths: readonly string[]): readonly string[] {
  const values = new Set(records.flatMap((record) => [...bagsIn(record)].flatMap(({ fields }) => sensitiveValues(fields, paths))));
  return [...values].sort((a, b) => b.length - a.length);
}

function* bagsIn(bag: Pick<ChildState, 'fields' | 'children'>): Generator<Pick<ChildState, 'fields' | 'children'>> {
  yield bag;
  for (const child of Object.values(bag.children ?? {}).flat()) yield* bagsIn(child);
}
