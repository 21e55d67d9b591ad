import type { OperationSettings } from '@autoflow/topology/autonomy';
import type { Actor } from './definitions.model.js';

/** How far AutoFlow may go with a pipeline by itself. Revision 0: nobody has said anything yet, the defaults hold. */
export interface SettingsRow extends OperationSettings {
  readonly pipeline: string;
  readonly revision: number;
  readonly actor?: string;
  readonly reason?: string;
  readonly updatedAt?: Date;
}
/** What is left out stays; null takes it away. */
export type SettingsChange = { readonly [name in keyof OperationSettings]?: OperationSettings[name] | null };

export interface SettingsStore {
  /** Undefined when there is no such pipeline. */
  get(pipeline: string): Promise<SettingsRow | undefined>;
  /** Throws `StaleRevisionError` when somebody was faster, `NotFoundError` for a pipeline or a version to be pinned that is not there. */
  change(request: { pipeline: string; change: SettingsChange; revision?: number; by: Actor }): Promise<SettingsRow>;
}
