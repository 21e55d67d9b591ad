import { z } from 'zod';
import { PipelineName, Timestamp, VersionName } from './common.js';

/** A process of the fleet that was heard of within the last seconds. */
export const Host = z
  .object({
    host: z.string(),
    roles: z.array(z.string()),
    version: z.string(),
    /** How memory is enforced; of hosts that run functions. */
    enforcement: z.enum(['cgroup-v2', 'cgroup-v1', 'soft']).exactOptional(),
    startedAt: Timestamp,
    seenAt: Timestamp,
    /** `concurrency`: this host's share of the stage's instances; `instances`: how many run. */
    pools: z.array(
      z.object({
        pipeline: PipelineName,
        version: VersionName,
        stage: z.string(),
        memoryMb: z.int(),
        concurrency: z.int(),
        instances: z.int(),
      }),
    ),
  })
  .meta({ id: 'Host' });
export type Host = z.infer<typeof Host>;

export const HostList = z.object({ items: z.array(Host) }).meta({ id: 'HostList' });
export type HostList = z.infer<typeof HostList>;
