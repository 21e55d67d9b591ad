import type { ReleaseRow } from './definitions.model.js';
import type { InvocationRow } from './metering.model.js';

/**
 * What the rows of all releases tell of the functions of one: a function is the same where its hash is. In a row of another release, a
 * function that was another then goes by another name (`add-up@3f9c2a1`), so that its part of the row stays accounted for; a row that
 * tells of no function of this release is left out.
 */
export function survivingRows(rows: readonly InvocationRow[], release: string, releases: readonly ReleaseRow[]): InvocationRow[] {
  const hashes = new Map(releases.map(({ hash, functions }) => [hash, functions ?? {}]));
  const own = hashes.get(release) ?? {};
  return rows.flatMap((row) => {
    if (row.release === release) return [row];
    const theirs = hashes.get(row.release) ?? {};
    const isSame = (node: string) => Object.hasOwn(own, node) && own[node] === theirs[node];
    if (!row.spans.some(({ node }) => isSame(node))) return [];
    const spans = row.spans.map((span) => (isSame(span.node) ? span : { ...span, node: `${span.node}@${row.release.slice(0, 7)}` }));
    return [{ ...row, spans }];
  });
}
