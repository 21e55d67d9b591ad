import { z } from 'zod';

/** `live`: the process answers. `ready`: Postgres and Temporal answer it too. */
export const Health = z.object({ status: z.string(), details: z.record(z.string(), z.unknown()).exactOptional() }).meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;
