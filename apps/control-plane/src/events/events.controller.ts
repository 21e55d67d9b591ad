import { Controller, Headers, Inject, Query, Res } from '@nestjs/common';
import { EventPage, EventsQuery } from '@autoflow/client/schemas';
import { Get, pageOf } from '@autoflow/http';
import type { EventRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { EventFeed } from './event-feed.js';
import { streamEvents } from './event-stream.js';

@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(EventFeed) private readonly feed: EventFeed,
  ) {}

  @Get('', {
    summary: 'What happened, newest first; or, as a stream, what happens',
    note: 'With `Accept: text/event-stream` it answers Server-Sent Events from now on, or behind the event of `Last-Event-ID`, and `limit` and `cursor` are not used.',
    access: 'viewer',
    answers: EventPage,
    problems: ['TOO_MANY_STREAMS'],
  })
  async list(
    @Query({ schema: EventsQuery }) query: z.output<typeof EventsQuery>,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    if (!accept?.includes('text/event-stream')) return void response.json(await this.page(query));
    const { pipeline, types } = query;
    const wanted = (event: EventRow) =>
      (pipeline === undefined || event.pipeline === pipeline) && (types === undefined || types.includes(event.type));
    await streamEvents({ feed: this.feed, wanted, after: lastEventId, response });
  }

  private async page({ pipeline, types, limit, cursor }: z.output<typeof EventsQuery>) {
    const rows = await this.store.events.list({
      limit,
      ...(pipeline !== undefined && { pipeline }),
      ...(types !== undefined && { types }),
      ...(cursor !== undefined && { before: cursor }),
    });
    return pageOf(
      rows,
      limit,
      (row) => row,
      ({ id }) => id,
    );
  }
}
