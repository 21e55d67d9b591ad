/** Child program: loads the bundle that it is told, and tells the specs of its pipelines. Apart, because what a user's module does on load is not known. */
import { pathToFileURL } from 'node:url';
import { pipelinesIn, specOf, type PipelineSpec } from '@autoflow/pipeline';
import '../instance/navigator.js';
import { takeChannel } from '../instance/take-channel.js';

export type Inspection =
  { readonly type: 'specs'; readonly specs: readonly PipelineSpec[] } | { readonly type: 'error'; readonly error: string };

async function inspect(bundle: string): Promise<Inspection> {
  try {
    const module = (await import(pathToFileURL(bundle).href)) as object;
    return { type: 'specs', specs: pipelinesIn(module).map(specOf) };
  } catch (error) {
    return { type: 'error', error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const send = takeChannel<Inspection>();
process.once('message', (bundle: string) => void inspect(bundle).then((inspection) => send(inspection, () => process.exit())));
