import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** In the sources, also when this runs from `dist`. */
const FOLDER = fileURLToPath(new URL('../../src/determinism/histories/', import.meta.url));

/** Writes what one run of a workflow did, where `replay.test.ts` finds it; default: its last run. */
export async function saveHistory(client: Client, name: string, workflowId: string, runId?: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const file = `${FOLDER}${name}.json`;
  await writeFile(file, `${anonymous(historyToJSON(history))}\n`);
  console.log(`${name}: ${history.events?.length ?? 0} events, ${(await readFile(file)).length} bytes`);
}

/** Which machine recorded it, and where its files lie, does not matter and is nobody's business. */
function anonymous(json: string): string {
  const hidden = ['identity', 'workerInstanceKey', 'stackTrace'];
  return JSON.stringify(
    JSON.parse(json, (key, value: unknown) => (hidden.includes(key) ? undefined : value)),
    undefined,
    1,
  );
}
