/** Child program: loads a bundle and tells the specs of its pipelines. Apart, because what a user's module does on load is not known. */
import { pathToFileURL } from 'node:url';
import { pipelinesIn, specOf, type PipelineSpec } from '@autoflow/pipeline';

export type Inspection = { readonly specs: readonly PipelineSpec[] } | { readonly error: string };

async function inspect(bundle: string): Promise<Inspection> {
  try {
    const module = (await import(pathToFileURL(bundle).href)) as object;
    return { specs: pipelinesIn(module).map(specOf) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

void inspect(process.argv[2]!).then((inspection) => process.send!(inspection, () => process.exit()));
