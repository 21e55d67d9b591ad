import { once } from 'node:events';
import type { EventRow } from '@autoflow/store';
import type { Response } from 'express';
import type { EventFeed } from './event-feed.js';

/** Proxies cut what is silent; the client takes silence for a lost connection. */
const KEEP_ALIVE_MS = 15_000;
/** A reader that takes nothing for so long is cut off: it comes back with Last-Event-ID. */
const PATIENCE_MS = 30_000;
/** Whose token was taken away meanwhile is refused when it comes back. */
const STREAM_MS = 15 * 60_000;

export interface StreamOptions {
  readonly feed: EventFeed;
  readonly wanted: (event: EventRow) => boolean;
  /** Undefined: from now on. */
  readonly after: string | undefined;
  readonly response: Response;
}

/** Sends events as they happen until the reader hangs up. Never holds more than one page: the next is read when the reader took the last. */
export async function streamEvents({ feed, wanted, after, response }: StreamOptions): Promise<void> {
  const reader = feed.enter();
  const end = new AbortController();
  response.once('close', () => end.abort());
  const until = setTimeout(() => end.abort(), STREAM_MS).unref();
  let keepAlive: NodeJS.Timeout | undefined;
  try {
    let place = after ?? (await feed.head());
    // The place goes along: a reader whose types are rare need not read through all the others again.
    keepAlive = setInterval(() => void (response.writableNeedDrain || response.write(`: keep-alive\nid: ${place}\n\n`)), KEEP_ALIVE_MS);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write(`retry: 2000\nid: ${place}\n\n`);
    while (!end.signal.aborted) {
      const { events, turn } = await feed.read(place);
      for (const event of events) {
        if (end.signal.aborted) return;
        place = event.id;
        if (wanted(event)) await write(response, frameOf(event));
      }
      if (events.length === 0) await feed.changed(turn, end.signal);
    }
  } finally {
    clearInterval(keepAlive);
    clearTimeout(until);
    reader.leave();
    // Before that, whatever was thrown becomes a problem.
    if (response.headersSent) response.end();
  }
}

/** Waits until the reader has taken what lies before it. */
async function write(response: Response, frame: string): Promise<void> {
  if (response.write(frame)) return;
  const over = new AbortController();
  const late = setTimeout(() => response.destroy(), PATIENCE_MS);
  const taken = once(response, 'drain', { signal: over.signal });
  const gone = once(response, 'close', { signal: over.signal });
  await Promise.race([taken, gone]).catch(() => undefined);
  clearTimeout(late);
  over.abort();
  await Promise.allSettled([taken, gone]);
}

/** JSON has no line breaks, so a frame has one line of data. */
function frameOf({ id, type, ...event }: EventRow): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, type, ...event })}\n\n`;
}
