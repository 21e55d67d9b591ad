import type { AutoFlowClient } from '@autoflow/client';
import { deployModule } from './deploy.js';

export interface RegisteredPipeline {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly created: boolean;
}

/**
 * Uploads a module's release and registers every pipeline that it exports, as written. A pipeline that is known keeps its stable version: to
 * start what was there before must not undo a rollback. The same code again changes nothing.
 */
export async function registerModule(client: AutoFlowClient, module: string, reason: string): Promise<RegisteredPipeline[]> {
  const { release, pipelines } = await deployModule(client, module, { plan: 'as-written', hold: true, reason });
  return pipelines.map(({ pipeline, version, created }) => ({ name: pipeline, version: version!.name, release, created }));
}
