import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { publicLookup, refusePrivate } from './private-addresses.js';

export interface SendOptions {
  readonly headers: { readonly [header: string]: string };
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Resolves when the receiver answered 2xx in time; rejects with what it did instead. Redirects are not followed, answers are not read. */
export async function send(url: URL, body: string, { headers, timeoutMs, allowPrivate, signal }: SendOptions): Promise<void> {
  if (!allowPrivate) refusePrivate(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'AutoFlow' },
    // A connection of its own: one that is kept could lead elsewhere than its name does by now.
    agent: false,
    signal: AbortSignal.any([timeout, signal]),
    ...(!allowPrivate && { lookup: publicLookup }),
  };
  const status = await new Promise<number>((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
    request.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.on('error', (error) => reject(timeout.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error));
    request.end(body);
  });
  if (status < 200 || status > 299) throw new Error(`answered ${status}`);
}
