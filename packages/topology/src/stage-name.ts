import { sha256 } from './hash.js';

/** Activity types and task queues carry this name and are shown in every list. */
const MAX_LENGTH = 120;

/** The one name of a stage that runs these nodes in this order: `parse-invoice+look-up-rate`; a long one ends in a hash of the whole. */
export function stageName(nodes: readonly string[]): string {
  const name = nodes.join('+');
  return name.length <= MAX_LENGTH ? name : `${name.slice(0, MAX_LENGTH - 13)}~${sha256(name).slice(0, 12)}`;
}
