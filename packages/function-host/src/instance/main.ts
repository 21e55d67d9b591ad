/** Program of an instance: the process in which a stage's functions run. It does what its host says, and never outlives it. */
import { openStage, type OpenStage } from './open-stage.js';
import type { HostMessage, InstanceMessage, InstanceSettings } from './protocol.js';
import { runInvocation } from './run-invocation.js';

let stage: OpenStage | undefined;
let running = new AbortController();

process.on('disconnect', () => process.exit());
process.on('message', (message: HostMessage) => void obey(message));

async function obey(message: HostMessage): Promise<void> {
  switch (message.type) {
    case 'init':
      return init(message.settings);
    case 'invoke':
      running = new AbortController();
      return tell(await runInvocation(stage!, message.invocation, message.strict, running.signal, tell));
    case 'cancel':
      return running.abort();
    case 'close':
      await stage?.close();
      process.exit();
  }
}

async function init(settings: InstanceSettings): Promise<void> {
  try {
    stage = await openStage(settings);
    tell({ type: 'ready' });
  } catch (error) {
    tell({ type: 'broken', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** A host that is gone cannot be told; `disconnect` ends us. */
function tell(message: InstanceMessage): void {
  process.send!(message, () => {});
}
