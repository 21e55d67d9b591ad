import type { z } from 'zod';
import type { Fields } from './json.js';

/** A Zod object: its keys are the declared fields, its output type is what a handler sees. */
export type Schema = z.ZodObject;

/** Zod says `Record<string, never>` for `z.object({})`; a record without fields is `{}`. */
export type Out<Z extends Schema> = [keyof Z['shape']] extends [never] ? {} : z.output<Z>;

/** Shows up in compiler messages in place of the argument that was wrong. */
export interface WiringError<Message extends string> {
  readonly 'wiring error': Message;
}

/** Fails to compile, naming the schema, when a field could not travel as JSON (Date, Map, bigint, …). */
export type JsonOnly<Z extends Schema> = Out<Z> extends Fields ? unknown : WiringError<'every field of a record must be JSON'>;

export type NoFields = z.ZodObject<{}>;
export type Flat<T> = { [K in keyof T]: T[K] } & {};
export type Maybe<T> = T | Promise<T>;

export function isSchema(value: unknown): value is Schema {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Schema).shape === 'object' &&
    typeof (value as Schema).safeParse === 'function'
  );
}

/** Names of the declared fields. */
export function fieldsOf(schema: Schema): string[] {
  return Object.keys(schema.shape);
}

/** Whether a record may do without the field. A default does not make it so: who writes the field must give it. */
export function isOptionalField(schema: Schema, field: string): boolean {
  return schema.shape[field]?._zod.optout === 'optional';
}
