import { readFileSync } from 'node:fs';

/** Topologies written by hand, as JSON to be registered through the API: the folder `topologies` beside the source. */
export function topology(name: 'filter-early'): unknown {
  return JSON.parse(readFileSync(new URL(`../topologies/${name}.json`, import.meta.url), 'utf8'));
}
