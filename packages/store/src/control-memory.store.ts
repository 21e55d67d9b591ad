import type { KnownMemory } from './control.model.js';
import type { Database } from './database.js';
import { LEASE_MS } from './fleet.model.js';
import { one } from './rows.js';

/** Steps that were kept before sizes were told have the one that was allocated. */
const KNOWN = `
with kept as (
  select s.name, step.decided -> 'stages' -> s.name as decided, step.tick -> 'tick' -> 'stages' -> (s.place::int - 1) as seen
    from autoflow.control_steps step, jsonb_array_elements_text(step.tick -> 'stages') with ordinality s (name, place)
   where step.pipeline = $1 and step.version = $2),
sizes as (
  select name, greatest(
           coalesce((seen ->> 'outOfMemoryMb')::int, case when (seen ->> 'outOfMemory')::int > 0 then (seen ->> 'memoryMb')::int end),
           case when (decided -> 'wanted' ->> 'memoryMb')::int > (decided -> 'now' ->> 'memoryMb')::int then (decided -> 'now' ->> 'memoryMb')::int end) as mb
    from kept)
select coalesce((select bool_or(enforcement <> 'soft') from autoflow.hosts
                  where enforcement is not null and seen_at > clock_timestamp() - $3 * interval '1 millisecond'), true) as "cpuFollows",
       coalesce((select json_object_agg(name, mb) from (select name, max(mb) as mb from sizes group by name having max(mb) > 0) s), '{}') as "tooSmallMb"`;

export async function knownMemory(database: Database, pipeline: string, version: string): Promise<KnownMemory> {
  return (await one<KnownMemory>(database, KNOWN, [pipeline, version, LEASE_MS]))!;
}
