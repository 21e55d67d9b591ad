import type { PipelineSpec } from '@autoflow/pipeline';
import type { FunctionHashes } from '@autoflow/store';
import { ReleaseError } from './release/errors.js';
import { provideRelease, type ReleaseSource } from './release/fetch-release.js';
import type { InstalledRelease } from './release/read-release.js';

/** The releases of this host, each fetched, read and checked once. One that cannot be had is looked for again at the next call. */
export class InstalledReleases {
  readonly #read = new Map<string, Promise<InstalledRelease>>();

  constructor(
    private readonly folder: string,
    private readonly source?: ReleaseSource,
  ) {}

  /** Fetches it before it is asked for; what goes wrong is told to whoever needs it. */
  prepare(hash: string): void {
    void this.#release(hash).catch(() => {});
  }

  /** Path of the bundle, spec and function hashes of one pipeline in it. Throws `ReleaseError`. */
  async find(hash: string, pipeline: string): Promise<{ bundle: string; spec: PipelineSpec; functions: FunctionHashes }> {
    const { bundle, specs, functions } = await this.#release(hash);
    const spec = specs.find(({ name }) => name === pipeline);
    if (spec === undefined)
      throw new ReleaseError(
        'RELEASE_WITHOUT_PIPELINE',
        `Release ${hash} holds ${specs.map(({ name }) => name).join(', ')}, not '${pipeline}'.`,
      );
    return { bundle, spec, functions: functions[pipeline] ?? {} };
  }

  #release(hash: string): Promise<InstalledRelease> {
    const known = this.#read.get(hash);
    if (known !== undefined) return known;
    const read = provideRelease(this.folder, hash, this.source);
    this.#read.set(hash, read);
    read.catch(() => this.#read.delete(hash));
    return read;
  }
}

/** Values of the secrets that the resources of these nodes declare, and of no others. A secret without value is left out. */
export function declaredSecrets(
  spec: PipelineSpec,
  nodes: readonly string[],
  secret: (name: string) => string | undefined,
): { [name: string]: string } {
  const used = new Set(spec.nodes.filter(({ id }) => nodes.includes(id)).flatMap(({ uses }) => uses));
  const names = spec.resources.filter(({ name }) => used.has(name)).flatMap(({ secrets }) => secrets);
  const found = names.map((name) => [name, secret(name)] as const);
  return Object.fromEntries(found.filter((each): each is [string, string] => each[1] !== undefined));
}
