/** How the hosts of a fleet divide a limit that holds for all of them together. Pure: the store decides with it, under a lock. */

/** A limit that is divided, and the hosts that want a part of it. */
export interface DividedLimit {
  readonly name: string;
  readonly limit: number;
  /** In instances: no host gets half of one. Else the limit is a rate, and every host gets the same part. */
  readonly whole: boolean;
  /** Without duplicates, in any order. */
  readonly hosts: readonly string[];
  /** Of a whole limit that is used together with others: by default each is dealt in an order of its own. */
  readonly deal?: Deal;
}

/** Limits with the same `order` are dealt to the hosts in the same order, like cards; `from` were dealt before this one. */
export interface Deal {
  readonly order: string;
  readonly from: number;
}

/**
 * What each of the hosts gets: the same for whoever computes it, and together exactly the limit (of a whole one: its whole part). What cannot
 * be divided evenly goes to the hosts that come first in an order of its own for every name, so that no host gets all remainders; `deal` says
 * otherwise. A share may be 0.
 */
export function shareOf({ name, limit, whole, hosts, deal = { order: name, from: 0 } }: DividedLimit, host: string): number {
  if (!hosts.includes(host)) return 0;
  if (!whole) return limit / hosts.length;
  const instances = Math.floor(limit);
  const rank = (each: string): number => hash(`${deal.order}\0${each}`);
  const before = hosts.filter((other) => rank(other) < rank(host) || (rank(other) === rank(host) && other < host)).length;
  const turn = (before + hosts.length - (deal.from % hosts.length)) % hosts.length;
  return Math.floor(instances / hosts.length) + (turn < instances % hosts.length ? 1 : 0);
}

/**
 * How much of a limit a host may use from now on. Less than it holds: at once. More: only what the others do not hold any more, so that together
 * they never hold more than the limit, whatever came and went, as long as each is asked with the others' holdings as they are.
 */
export function grantOf({ limit, share, held, others }: { limit: number; share: number; held: number; others: number }): number {
  return share <= held ? share : Math.max(held, Math.min(share, limit - others));
}

/** FNV-1a, 32 bits, with a final mix: the last characters of names are often all that differs. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
