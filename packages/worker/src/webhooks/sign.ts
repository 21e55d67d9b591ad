/** Signatures as Standard Webhooks says (https://www.standardwebhooks.com), so that receivers verify them with a library they have. */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

export interface Message {
  /** Of the event: the same at every attempt, for receivers to recognise what they had. */
  readonly id: string;
  readonly body: string;
}

/** `webhook-signature` is HMAC-SHA256 over `id.timestamp.body`; the timestamp is that of the attempt, in seconds. */
export function signedHeaders({ id, body }: Message, secret: string, now: Date): { readonly [header: string]: string } {
  const timestamp = Math.floor(now.getTime() / 1000);
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
