import { z } from 'zod';
import { PipelineName, Reason, Timestamp } from './common.js';
import { EventType } from './events.js';

export const WebhookUrl = z.string().max(2000).refine(isPlainHttp, 'a webhook is an http or https URL without user and password');

function isPlainHttp(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Which events are sent where. Without `types` (`pipelines`) all of them; events without a pipeline go to those without `pipelines`. */
export const NewWebhook = z
  .strictObject({
    url: WebhookUrl,
    types: z.array(EventType).min(1).max(50).exactOptional(),
    pipelines: z.array(PipelineName).min(1).max(100).exactOptional(),
    reason: Reason.exactOptional(),
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.infer<typeof NewWebhook>;

export const RemoveWebhookQuery = z.strictObject({ reason: Reason.exactOptional() });

export const Webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    types: z.array(z.string()).exactOptional(),
    pipelines: z.array(z.string()).exactOptional(),
    createdAt: Timestamp,
    /** Events that its receiver took. */
    delivered: z.int(),
    /** At the event that is next: failed so often, since when, why, and when it is tried again. */
    attempts: z.int(),
    failingSince: Timestamp.exactOptional(),
    nextAt: Timestamp,
    lastError: z.string().exactOptional(),
    /** Given up: its receiver failed for a day. Remove it and make it again. */
    disabledAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof Webhook>;
export const WebhookList = z.object({ items: z.array(Webhook) }).meta({ id: 'WebhookList' });

/** `secret` (`whsec_…`) is shown this once; what is sent is signed with it, as Standard Webhooks says. */
export const CreatedWebhook = z.object({ ...Webhook.shape, secret: z.string() }).meta({ id: 'CreatedWebhook' });
export type CreatedWebhook = z.infer<typeof CreatedWebhook>;
export const RemovedWebhook = z.object({ id: z.string(), removed: z.boolean() }).meta({ id: 'RemovedWebhook' });
export type RemovedWebhook = z.infer<typeof RemovedWebhook>;
