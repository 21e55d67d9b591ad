import { randomBytes } from 'node:crypto';
import type { Fields } from '@autoflow/pipeline';
import { runThrough } from '../live.js';
import { activate, type HeadlineSide, type Rig } from './side.js';

/** What a side can do, and that it does the same as the others. */
export interface Capacity {
  readonly side: string;
  readonly plan: string;
  /** Records per second out of a backlog, of the last and longest one: an estimate, since nobody waits for a service level here. */
  readonly perSecond: number;
  readonly bursts: readonly number[];
  /** SHA-256 over the outcomes of the first invoices, record by record: equal digests are equal outcomes. */
  readonly digest: string;
  readonly counts: { readonly completed: number; readonly filtered: number; readonly dead: number; readonly cancelled: number };
}

const BURSTS = { least: 2, most: 6 };
const MOST_RECORDS = 4_000;
/** A burst that is faster than the one before by less than this is what the side can do. */
const GROWTH = 1.15;

/** The invoices that all sides get alike, then backlogs that it needs some seconds for, each as large as the one before says. */
export async function measureCapacity(rig: Rig, side: HeadlineSide, same: readonly Fields[], next: () => Fields): Promise<Capacity> {
  const { platform, conditions } = rig;
  await activate(rig, side);
  const first = await runThrough(platform, same);
  const { digest, counts } = await platform.store.ledger.outcomeDigest(platform.spec.name, first.scope);
  const bursts = [first.perSecond];
  const isGrowing = (): boolean => bursts.at(-1)! > GROWTH * bursts.at(-2)!;
  while (bursts.length <= BURSTS.least || (bursts.length <= BURSTS.most && isGrowing())) {
    const count = Math.min(MOST_RECORDS, Math.ceil(bursts.at(-1)! * conditions.capacitySeconds));
    bursts.push((await runThrough(platform, unique(platform.spec.key, count, next))).perSecond);
  }
  return { side: side.name, plan: side.plan, perSecond: bursts.at(-1)!, bursts, digest, counts };
}

function unique(key: string, count: number, next: () => Fields): Fields[] {
  const run = randomBytes(3).toString('hex');
  return Array.from({ length: count }, (_, i) => {
    const fields = next();
    return { ...fields, [key]: `${String(fields[key])}-${run}-${i}` };
  });
}
