import { randomBytes, randomUUID } from 'node:crypto';
import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { CreatedWebhook, NewWebhook, RemovedWebhook, RemoveWebhookQuery, Webhook, WebhookList } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Delete, Get, Post, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';

const MAX_WEBHOOKS = 100;
const SECRET_BYTES = 32;

@Controller('v1/webhooks')
export class WebhooksController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Post('', {
    summary: 'Send events to a URL, from now on',
    note: 'Signed as Standard Webhooks says: `webhook-signature` is HMAC-SHA256 over id, timestamp and body. The secret is in this answer only. Loopback and private addresses are refused when it comes to sending, unless AUTOFLOW_WEBHOOKS_PRIVATE allows them.',
    // Whoever names a URL makes the control worker call it.
    access: 'admin',
    answers: CreatedWebhook,
    status: 201,
    idempotent: 'secret',
    problems: ['TOO_MANY_WEBHOOKS', ...BODY_PROBLEMS],
  })
  async create(@Body({ schema: NewWebhook }) { reason = 'made over the API', ...body }: z.output<typeof NewWebhook>, @Caller() by: By) {
    if ((await this.store.webhooks.list()).length >= MAX_WEBHOOKS)
      throw new ProblemError('TOO_MANY_WEBHOOKS', `There are ${MAX_WEBHOOKS} webhooks already.`);
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const row = await this.store.webhooks.create({ id: randomUUID(), ...body, secret }, by(reason));
    return { ...row, secret };
  }

  @Get('', { summary: 'Webhooks, with how they fare', access: 'admin', answers: WebhookList })
  async list() {
    return { items: await this.store.webhooks.list() };
  }

  @Get(':webhook', { summary: 'One webhook', access: 'admin', answers: Webhook, problems: ['WEBHOOK_UNKNOWN'] })
  async show(@Param('webhook') id: string) {
    const row = await this.store.webhooks.get(id);
    if (row === undefined) throw unknown(id);
    return row;
  }

  @Delete(':webhook', {
    summary: 'Send nothing more',
    access: 'admin',
    answers: RemovedWebhook,
    idempotent: 'kept',
    problems: ['WEBHOOK_UNKNOWN'],
  })
  async remove(
    @Param('webhook') id: string,
    @Query({ schema: RemoveWebhookQuery }) { reason = 'removed over the API' }: z.output<typeof RemoveWebhookQuery>,
    @Caller() by: By,
  ) {
    if (!(await this.store.webhooks.remove(id, by(reason)))) throw unknown(id);
    return { id, removed: true };
  }
}

function unknown(id: string): ProblemError {
  return new ProblemError('WEBHOOK_UNKNOWN', `There is no webhook ${JSON.stringify(id)}.`);
}
