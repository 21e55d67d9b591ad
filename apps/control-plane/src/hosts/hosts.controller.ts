import { Controller, Inject } from '@nestjs/common';
import { HostList } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { HostRow, Store } from '@autoflow/store';
import { STORE } from '../ports.js';

@Controller('v1/hosts')
export class HostsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'The processes of the fleet that are alive, with their roles and pools', access: 'viewer', answers: HostList })
  async list() {
    return { items: (await this.store.fleet.hosts()).map(present) };
  }
}

const present = ({ incarnation: _, bounds: __, ...host }: HostRow) => host;
