import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningStack, stackFolder } from '@autoflow/local-stack';

/** What `up` leaves in the stack's folder beside the stack's own state, so that every other command finds the API without being told. */
export interface Published {
  readonly api: string;
  /** Where records are sent. */
  readonly ingest: string;
  /** Holds the admin token; readable by its user only. */
  readonly tokenFile: string;
}

const FILE = 'api.json';

export function publish(folder: string, published: Published): void {
  writeFileSync(join(folder, FILE), `${JSON.stringify(published, undefined, 2)}\n`, { mode: 0o600 });
}

export function unpublish(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

/** Of the running stack of this name; undefined when none runs or its API is not up (yet). */
export function readPublished(name: string, env: NodeJS.ProcessEnv): Published | undefined {
  if (runningStack({ name, env }) === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(stackFolder({ name, env }), FILE), 'utf8')) as Published;
  } catch {
    return undefined;
  }
}

export function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
