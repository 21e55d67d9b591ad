/** The real server, of which only what it says of an execution is another thing. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** `describe` does it in place of the client's own. */
export function describing(
  client: Client,
  describe: (real: () => Promise<WorkflowExecutionDescription>) => Promise<WorkflowExecutionDescription>,
): Client {
  const getHandle: Client['workflow']['getHandle'] = (...of: Parameters<Client['workflow']['getHandle']>) => {
    const handle = client.workflow.getHandle(...of);
    return Object.assign(Object.create(handle) as typeof handle, { describe: () => describe(() => handle.describe()) }) as never;
  };
  const workflow = Object.assign(Object.create(client.workflow) as Client['workflow'], { getHandle });
  return Object.create(client, { workflow: { value: workflow } }) as Client;
}

/** Says of what runs that it is paused: the server that the tests have does not know how to pause. */
export function paused(client: Client): Client {
  return describing(client, async (real) => {
    const description = await real();
    return description.status.name === 'RUNNING' ? { ...description, status: { ...description.status, name: 'PAUSED' } } : description;
  });
}
