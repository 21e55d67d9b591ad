import type { Fields } from '@autoflow/pipeline';
import { digestOf } from '@autoflow/store';
import { NotJsonError } from '@autoflow/topology';

export interface Writable {
  readonly record: Fields;
  /** Of `record`. */
  readonly digest: string;
  readonly bytes: number;
  /** What JSON cannot carry; `record` is without those fields. */
  readonly problem?: string;
}

/**
 * The record as the inbox can hold it, whatever was parsed: `1e999` is read as an infinity, and what nests without end can be read but not be
 * written again.
 */
export function writable(record: Fields): Writable {
  try {
    return { record, ...digestOf(record) };
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    const rest = Object.fromEntries(Object.entries(record).filter(([name, value]) => isWritable({ [name]: value })));
    return { record: rest, ...digestOf(rest), problem: error.message };
  }
}

function isWritable(record: object): boolean {
  try {
    digestOf(record);
    return true;
  } catch {
    return false;
  }
}
