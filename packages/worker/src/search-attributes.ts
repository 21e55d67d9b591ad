/** Makes sure that the server knows our search attributes: setting one that it does not know fails the workflow task for ever. */
import type { Connection } from '@temporalio/client';
import { searchAttributes } from '@autoflow/workflows';

const KEYWORD = 2;

/** Adds what is missing. False when the server does not let us: then executions go without. */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<boolean> {
  const names = Object.values(searchAttributes).map(({ name }) => name);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = names.filter((name) => !(name in (customAttributes ?? {})));
    if (missing.length > 0)
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      });
    return true;
  } catch {
    return false;
  }
}
