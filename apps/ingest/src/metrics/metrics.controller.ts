import { Controller, Get, Inject, Res } from '@nestjs/common';
import { EXPOSITION_TYPE, Needs, Undocumented } from '@autoflow/http';
import type { Response } from 'express';
import { COUNTS } from '../ports.js';
import type { Counts } from './counts.js';

/** For Prometheus, with a viewer's token: what this process has answered. What waits is told by the control plane. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(COUNTS) private readonly counts: Counts) {}

  @Get()
  @Needs('viewer')
  @Undocumented()
  metrics(@Res() response: Response): void {
    response.type(EXPOSITION_TYPE).send(this.counts.toString());
  }
}
