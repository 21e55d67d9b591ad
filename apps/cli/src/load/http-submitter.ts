import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Fields } from '@autoflow/pipeline';
import type { Submission, Submitter } from './open-loop.js';

export interface IngestAddress {
  /** Of ingest, such as `http://127.0.0.1:4100`. */
  readonly url: string;
  readonly token?: string;
  readonly pipeline: string;
  readonly scope: string;
}
export interface HttpSubmitterOptions extends IngestAddress {
  /** Kept alive (default 16): posts beyond wait for one, and that is latency. */
  readonly connections?: number;
  /** An answer that takes longer is none (default 30 s). */
  readonly timeoutMs?: number;
}

/** Of one post; larger groups are cut. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Posts to ingest. What it answers with 4xx is refused (also 429: open load does not come back later); anything else but 202 is a failure. */
export class HttpSubmitter implements Submitter<Fields> {
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly target: URL;

  constructor(private readonly options: HttpSubmitterOptions) {
    this.target = recordsUrl(options);
    this.target.searchParams.set('answer', 'summary');
    const keep = { keepAlive: true, maxSockets: options.connections ?? 16 };
    this.agent = this.target.protocol === 'https:' ? new HttpsAgent(keep) : new HttpAgent(keep);
  }

  async submit(records: readonly Fields[]): Promise<Submission> {
    const body = Buffer.from(JSON.stringify(records));
    if (body.length > MAX_BODY_BYTES && records.length > 1) {
      const half = Math.ceil(records.length / 2);
      const [a, b] = await Promise.all([this.submit(records.slice(0, half)), this.submit(records.slice(half))]);
      return { accepted: a.accepted + b.accepted, refused: a.refused + b.refused };
    }
    const { status, text } = await this.insist(body);
    if (status >= 400 && status < 500) {
      if (status === 401 || status === 403 || status === 404) throw new Error(`ingest answers ${status}: ${text.slice(0, 300)}`);
      return { accepted: 0, refused: records.length };
    }
    if (status !== 202) throw new Error(`ingest answers ${status}: ${text.slice(0, 300)}`);
    const { accepted, known, conflict, invalid } = (
      JSON.parse(text) as { counts: Record<'accepted' | 'known' | 'conflict' | 'invalid', number> }
    ).counts;
    return { accepted: accepted + known, refused: conflict + invalid };
  }

  close(): void {
    this.agent.destroy();
  }

  /** A kept connection that ingest closed just as it was used again says nothing of ingest; records are taken once, by their keys. */
  private async insist(body: Buffer): Promise<{ status: number; text: string }> {
    try {
      return await this.post(body);
    } catch (error) {
      if (error instanceof ClosedAsUsed) return this.post(body);
      throw error;
    }
  }

  private post(body: Buffer): Promise<{ status: number; text: string }> {
    const { token, timeoutMs = 30_000 } = this.options;
    const send = this.target.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve, reject) => {
      const request = send(this.target, { method: 'POST', agent: this.agent, headers, timeout: timeoutMs }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }));
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      request.on('error', (error: NodeJS.ErrnoException) =>
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new ClosedAsUsed(error.message, { cause: error }) : error),
      );
      request.end(body);
    });
  }
}

class ClosedAsUsed extends Error {}

export function recordsUrl({ url, pipeline, scope }: IngestAddress): URL {
  const target = new URL(`${url.replace(/\/+$/, '')}/v1/pipelines/${encodeURIComponent(pipeline)}/records`);
  target.searchParams.set('scope', scope);
  return target;
}
