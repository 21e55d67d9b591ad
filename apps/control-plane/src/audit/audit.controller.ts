import { Controller, Inject, Query } from '@nestjs/common';
import { AuditPage, AuditQuery } from '@autoflow/client/schemas';
import { Get, pageOf } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';

@Controller('v1/audit')
export class AuditController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'Who changed what and why, newest first', access: 'viewer', answers: AuditPage })
  async list(@Query({ schema: AuditQuery }) { pipeline, action, actor, since, limit, cursor }: z.output<typeof AuditQuery>) {
    const rows = await this.store.access.audit({
      limit,
      ...(pipeline !== undefined && { pipeline }),
      ...(action !== undefined && { action }),
      ...(actor !== undefined && { actor }),
      ...(since !== undefined && { since }),
      ...(cursor !== undefined && { before: Number(cursor) }),
    });
    return pageOf(
      rows,
      limit,
      (row) => row,
      ({ id }) => String(id),
    );
  }
}
