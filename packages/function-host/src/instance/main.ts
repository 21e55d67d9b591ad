/** Program of an instance: the process in which a stage's functions run. It does what its host says, and ends when its host is gone. */
import './navigator.js';
import { Permits } from './permits.js';
import { openStage, type OpenStage } from './open-stage.js';
import type { HostMessage, InstanceMessage, InstanceSettings, Word } from './protocol.js';
import { runInvocation } from './run-invocation.js';
import { takeChannel } from './take-channel.js';

const send = takeChannel<InstanceMessage>();
let stage: OpenStage | undefined;
let running = new AbortController();
const permits = new Permits();

process.on('disconnect', () => process.exit());
process.on('message', (message: HostMessage) => void obey(message));

async function obey(message: HostMessage): Promise<void> {
  switch (message.type) {
    case 'init':
      return send({ ...(await init(message.settings)), call: message.call });
    case 'invoke': {
      const { call, invocation, strict } = message;
      const tell = (word: Word): Promise<void> => new Promise((written) => send({ ...word, call }, written));
      running = new AbortController();
      permits.begin(call, running.signal, (uses) => send({ type: 'use', uses, call }));
      const word = await runInvocation(stage!, invocation, strict, running.signal, tell, (uses) => permits.ask(uses));
      const recordings = stage!.recorder?.drain() ?? [];
      const recorded = { type: 'recorded', scope: invocation.scope, recordings } as const;
      if (recordings.length === 0) return tell(word);
      // A replay is about what is recorded. Else nobody waits for it, and the answer is what somebody waits for.
      return stage!.standIn === undefined ? tell(word).then(() => tell(recorded)) : tell(recorded).then(() => tell(word));
    }
    case 'granted':
      return permits.granted(message.call);
    case 'cancel':
      return running.abort();
    case 'close':
      await stage?.close();
      process.exit();
  }
}

async function init(settings: InstanceSettings): Promise<Word> {
  try {
    stage = await openStage(settings);
    return { type: 'ready' };
  } catch (error) {
    return { type: 'broken', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
