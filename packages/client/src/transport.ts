import { context, propagation } from '@opentelemetry/api';
import { ApiError, ApiUnreachableError } from './api-error.js';

export interface ClientOptions {
  /** Where the service listens, such as `http://127.0.0.1:4000`; the client adds `/v1`. */
  readonly url: string;
  readonly token?: string;
  /** An answer that takes longer counts as unreachable (default 30 s). */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

export interface Request {
  readonly method?: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly ifMatch?: Revision;
  readonly idempotencyKey?: string;
  /** Asked twice it does what it does once: true of what only reads, and of what has an idempotency key. */
  readonly repeatable?: boolean;
  /** Instead of the client's. */
  readonly timeoutMs?: number;
}
/** The revision that was read, or `*`: whatever it is by now. */
export type Revision = number | '*';

export type Transport = <T>(path: string, request?: Request) => Promise<T>;

/**
 * Answers the JSON of a 2xx. Throws `ApiError` for a problem, `ApiUnreachableError` when there was no answer of ours. What may be repeated is
 * sent once more when its connection was closed before an answer began: a server closes idle ones, perhaps just as one is used again.
 */
export function createTransport({ url, token, timeoutMs = 30_000, fetch: send = fetch }: ClientOptions): Transport {
  return async <T>(path: string, request: Request = {}): Promise<T> => {
    const address = addressOf(url, path, request.query);
    let answer: Response;
    let text: string;
    try {
      const init = {
        method: request.method ?? 'GET',
        headers: headersOf(request, token),
        signal: AbortSignal.timeout(request.timeoutMs ?? timeoutMs),
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      };
      answer = await send(address, init).catch((error: unknown) => {
        if (mayRepeat(request) && isClosed(error)) return send(address, init);
        throw error;
      });
      text = await answer.text();
    } catch (error) {
      throw new ApiUnreachableError(url, reasonOf(error), { cause: error });
    }
    const type = answer.headers.get('content-type') ?? '';
    if (!answer.ok || !type.startsWith('application/json')) throw await problemOf(url, answer.status, type, text);
    return JSON.parse(text) as T;
  };
}

function mayRepeat({ method = 'GET', idempotencyKey, repeatable = method === 'GET' || idempotencyKey !== undefined }: Request): boolean {
  return repeatable;
}

/** By the other side, as Node's `fetch` says it. */
function isClosed(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** Opens a stream of Server-Sent Events; the time-out is for the answer to begin. */
export function createStreams({ url, token, timeoutMs = 30_000, fetch: send = fetch }: ClientOptions) {
  return async (
    path: string,
    query: Request['query'],
    lastEventId: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<Uint8Array>> => {
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const late = setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), timeoutMs);
    try {
      const headers = {
        ...headersOf({}, token),
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      };
      const answer = await send(addressOf(url, path, query), { headers, signal: controller.signal });
      const type = answer.headers.get('content-type') ?? '';
      if (answer.ok && type.startsWith('text/event-stream') && answer.body !== null) return answer.body;
      throw await problemOf(url, answer.status, type, await answer.text());
    } catch (error) {
      if (error instanceof ApiError || error instanceof ApiUnreachableError) throw error;
      throw new ApiUnreachableError(url, reasonOf(error), { cause: error });
    } finally {
      clearTimeout(late);
    }
  };
}

/** Sends lines while it reads lines: NDJSON both ways. Breaking off the reading ends the request. */
export function createLines({ url, token, fetch: send = fetch }: ClientOptions) {
  return async function* <T>(path: string, query: Request['query'], lines: AsyncIterable<string>): AsyncGenerator<T> {
    const leave = new AbortController();
    const source = new Source(lines);
    try {
      const answer = await send(addressOf(url, path, query), {
        method: 'POST',
        headers: { ...headersOf({}, token), accept: NDJSON, 'content-type': NDJSON },
        body: ReadableStream.from(source.encoded()),
        duplex: 'half',
        signal: leave.signal,
      } as RequestInit);
      const type = answer.headers.get('content-type') ?? '';
      if (!answer.ok || !type.startsWith(NDJSON) || answer.body === null)
        throw await problemOf(url, answer.status, type, await answer.text());
      let rest = '';
      for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
        const whole = (rest + text).split('\n');
        rest = whole.pop() ?? '';
        for (const line of whole) if (line !== '') yield JSON.parse(line) as T;
      }
      if (rest !== '') throw new ApiUnreachableError(url, 'the answer breaks off');
    } catch (error) {
      if (source.failure !== undefined) throw source.failure.error;
      if (error instanceof ApiError || error instanceof ApiUnreachableError) throw error;
      throw new ApiUnreachableError(url, reasonOf(error), { cause: error });
    } finally {
      leave.abort();
    }
  };
}

const NDJSON = 'application/x-ndjson';

/** Lines as bytes; a failure of their own is not one of the connection. */
class Source {
  failure: { readonly error: unknown } | undefined;
  constructor(private readonly lines: AsyncIterable<string>) {}

  async *encoded(): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    try {
      for await (const line of this.lines) yield encoder.encode(`${line}\n`);
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** Joins path segments, each escaped: keys and stage names may hold anything. */
export function path(strings: TemplateStringsArray, ...segments: readonly string[]): string {
  return strings.reduce((whole, part, i) => whole + encodeURIComponent(segments[i - 1] ?? '') + part);
}

function addressOf(url: string, path: string, query: Request['query'] = {}): URL {
  if (!URL.canParse(url)) throw new ApiUnreachableError(url, 'this is not a URL');
  const address = new URL(`${url.replace(/\/+$/, '')}/v1${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

function headersOf({ body, ifMatch, idempotencyKey }: Request, token: string | undefined): Record<string, string> {
  return {
    ...traceHeaders(),
    accept: 'application/json, application/problem+json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(ifMatch !== undefined && { 'if-match': ifMatch === '*' ? '*' : `"${ifMatch}"` }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  };
}

/** `traceparent` of the trace under way, where the process has an OpenTelemetry SDK. */
function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** The schema, and with it zod, is loaded when something went wrong: a command of the CLI takes a third of its start for it. */
async function problemOf(url: string, status: number, type: string, text: string): Promise<Error> {
  const { Problem } = await import('./schemas/problem.js');
  const problem = type.startsWith('application/problem+json') ? Problem.safeParse(parsed(text)) : undefined;
  return problem?.success ? new ApiError(problem.data) : new ApiUnreachableError(url, `something else answers there (status ${status})`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { code, message } = (error.cause ?? error) as { code?: string; message: string };
  return code ?? message;
}
