/** The feed of events as an iterator: Server-Sent Events over `fetch`, because the browser's EventSource sends no token. */
import { ApiError, ApiUnreachableError } from './api-error.js';
import type { Event } from './schemas/events.js';

export interface FollowOptions {
  readonly pipeline?: string;
  readonly types?: readonly string[];
  /** Goes on behind the event of this id; without it, with what happens from now on. */
  readonly after?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}
/** Opens the stream; rejects as every call of the client does. */
export type OpenStream = (lastEventId: string | undefined, signal: AbortSignal | undefined) => Promise<ReadableStream<Uint8Array>>;

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** The server speaks every 15 s, if only to say that it is there. */
const SILENCE_MS = 45_000;

/**
 * Every event once and in order, across lost connections and restarts of the control plane. Throws `ApiError` when the API refuses; when it cannot
 * be reached it is asked again, except for the first time.
 */
export async function* followEvents(open: OpenStream, { after: from, signal }: FollowOptions): AsyncGenerator<Event, void, undefined> {
  let last = from;
  let wasOpen = false;
  for (let retryMs = FIRST_RETRY_MS; signal?.aborted !== true; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
    try {
      const stream = await open(last, signal);
      wasOpen = true;
      for await (const { id, event } of frames(stream)) {
        retryMs = FIRST_RETRY_MS;
        last = id ?? last;
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof ApiError && !error.problem.retryable) throw error;
      if (!wasOpen && error instanceof ApiUnreachableError) throw error;
    }
    await pause(retryMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}

interface Frame {
  readonly id?: string;
  readonly event?: Event;
}

async function* frames(stream: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = stream.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await orSilence(reader.read());
      if (done) return;
      text += value;
      const parts = text.split('\n\n');
      text = parts.pop()!;
      yield* parts.map(frameOf);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A connection whose other end is gone without a word. */
async function orSilence<T>(read: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the stream is silent')), SILENCE_MS);
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function frameOf(text: string): Frame {
  const fields = new Map(
    text
      .split('\n')
      .filter((line) => !line.startsWith(':') && line.includes(': '))
      .map((line): [string, string] => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const [id, data] = [fields.get('id'), fields.get('data')];
  return { ...(id !== undefined && { id }), ...(data !== undefined && { event: JSON.parse(data) as Event }) };
}
