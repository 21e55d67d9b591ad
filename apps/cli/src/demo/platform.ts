import type { Environment } from './report.js';

/** What the demo needs of a running stack. */
export interface DemoPlatform {
  readonly api: { readonly url: string; readonly token: string };
  /** The database in which `store-order` writes. */
  readonly databaseUrl: string;
  /** The folder from which function hosts load releases. */
  readonly releases: string;
  readonly servers: Pick<Environment, 'temporal' | 'postgres'>;
}
