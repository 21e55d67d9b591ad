import { z } from 'zod';
import { Limit, pageOf, PipelineName, Timestamp } from './common.js';

/** Something that happened. `data` depends on the type, never holds a field of a record, and may get further properties. */
export const Event = z
  .object({
    /** Opaque: its place in the feed, for `Last-Event-ID` and `cursor`. */
    id: z.string(),
    at: Timestamp,
    pipeline: PipelineName.exactOptional(),
    type: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof Event>;
export const EventPage = pageOf(Event).meta({ id: 'EventPage' });
export type EventPage = z.infer<typeof EventPage>;

/** `stable.set`, `dead-letters.added`, …; those that will come one day are asked for the same way. */
export const EventType = z
  .string()
  .regex(/^[a-z][a-z-]*\.[a-z][a-z-]*$/, 'a type is of the form stable.set')
  .max(100);
export const EventTypes = z
  .string()
  .transform((types) => types.split(','))
  .pipe(z.array(EventType).min(1).max(50));

export const EventsQuery = z.strictObject({
  pipeline: PipelineName.exactOptional(),
  types: EventTypes.exactOptional(),
  limit: Limit,
  cursor: z
    .string()
    .regex(/^[0-9]{1,19}-[0-9]{1,19}$/, 'a cursor is the id of an event')
    .exactOptional(),
});
