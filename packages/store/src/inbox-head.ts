/** Where the first records of an arm are found in the inbox, without walking through those of the others. */

import { BUCKETS } from './arms.model.js';

/** Buckets of one slot, as in the index. */
const SLOT = 100;
/** Looking at so many rows in all is cheaper than walking past whatever the other arms have waiting. */
const SLOTTED_ROWS = 10_000;

const BY_ID = 'pipeline = $1 and stream = $2 and bucket between $3::int and $4::int';
/** Twice as many as are wanted: others may be claiming the first ones. */
const BY_SLOT = `id = any (array(
  select first.id from generate_series($3::int / ${SLOT}, $4::int / ${SLOT}) slot cross join lateral (
    select id from autoflow.inbox where pipeline = $1 and stream = $2 and bucket / ${SLOT} = slot and bucket between $3::int and $4::int
     order by id limit 2 * $5::int) first
   order by first.id limit 2 * $5::int))`;

/**
 * SQL that holds for the first records of an arm (`$1` pipeline, `$2` stream, `$3` and `$4` its first and last bucket), of which the `$5` with the
 * lowest ids are wanted. A small arm goes by slots of buckets, so that it does not matter how much of a large one waits; a large arm goes by id,
 * and passes what waits of the small ones.
 */
export function firstOfArm([first, last]: readonly [number, number], records: number): string {
  const slots = Math.floor(last / SLOT) - Math.floor(first / SLOT) + 1;
  return slots * SLOT <= BUCKETS / 2 && slots * 2 * records <= SLOTTED_ROWS ? BY_SLOT : BY_ID;
}
