/** Which release decides what a record of a pipeline is: looked up once a second, compiled once per release. */
import { ProblemError } from '@autoflow/http';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { Store } from '@autoflow/store';

const POINTER_MS = 1_000;
const MOST = 1_000;

export class PipelineSpecs {
  private readonly stable = new Map<string, { readonly spec: PipelineSpec; readonly readAt: number }>();
  /** By release and by version; rows that never change. */
  private readonly specs = new Map<string, PipelineSpec>();
  private readonly releases = new Map<string, string>();

  constructor(private readonly store: Pick<Store, 'definitions'>) {}

  /** Of the stable version of about now, or of the one named. The same object for the same release, so that what is made of it can be kept by it. */
  async specOf(pipeline: string, version?: string): Promise<PipelineSpec> {
    if (version !== undefined) return this.ofRelease(pipeline, await this.releaseOf(pipeline, version));
    const known = this.stable.get(pipeline);
    if (known !== undefined && performance.now() - known.readAt < POINTER_MS) return known.spec;
    const row = await this.store.definitions.pipeline(pipeline);
    if (row === undefined)
      throw new ProblemError('PIPELINE_UNKNOWN', `There is no pipeline ${JSON.stringify(pipeline)}; nothing was taken.`);
    const spec = await this.ofRelease(pipeline, row.stable.release);
    keep(this.stable, pipeline, { spec, readAt: performance.now() });
    return spec;
  }

  private async releaseOf(pipeline: string, version: string): Promise<string> {
    const name = `${pipeline}/${version}`;
    const known = this.releases.get(name);
    if (known !== undefined) return known;
    await this.specOf(pipeline);
    const row = await this.store.definitions.version(pipeline, version);
    if (row === undefined) throw new ProblemError('VERSION_UNKNOWN', `${pipeline} has no version ${JSON.stringify(version)}.`);
    return keep(this.releases, name, row.release);
  }

  private async ofRelease(pipeline: string, hash: string): Promise<PipelineSpec> {
    const name = `${pipeline}/${hash}`;
    const known = this.specs.get(name);
    if (known !== undefined) return known;
    const row = await this.store.definitions.release(pipeline, hash);
    if (row === undefined) throw new ProblemError('RELEASE_UNKNOWN', `${pipeline} has no release ${JSON.stringify(hash)}.`);
    return this.specs.get(name) ?? keep(this.specs, name, row.spec);
  }
}

/** Bounded: a process that has seen more starts anew. */
function keep<T>(cache: Map<string, T>, name: string, value: T): T {
  if (cache.size >= MOST) cache.clear();
  cache.set(name, value);
  return value;
}
