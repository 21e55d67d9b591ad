import { Inject, Injectable } from '@nestjs/common';
import type { DeployRelease } from '@autoflow/client/schemas';
import { type By, ProblemError } from '@autoflow/http';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { FunctionHashes, PipelineRow, ReleaseManifest, Store } from '@autoflow/store';
import { hashVersion } from '@autoflow/topology';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { presentVersion } from '../versions/present.js';
import { notThere } from '../versions/versions.service.js';
import { planFor } from './plan-for.js';

type Request = z.output<typeof DeployRelease>;

@Injectable()
export class DeployService {
  constructor(@Inject(STORE) private readonly store: Store) {}

  /**
   * Registers the release with its version, and points new executions to it at once. Somebody who moves the pointer meanwhile wins:
   * then the version is registered, and the deploy is refused as stale. Doing it again changes nothing.
   */
  async deploy(name: string, request: Request, by: By) {
    const manifest = await this.manifestOf(request);
    const spec = manifest.specs.find((each) => each.name === name);
    if (spec === undefined)
      throw notThere('/release', `release ${request.release} holds ${manifest.specs.map((each) => each.name).join(', ')}, not ${name}`);
    const before = await this.store.definitions.pipeline(name);
    const functions = manifest.functions[name] ?? {};
    const { plan, why, ...version } = await planFor(this.store, spec, before, request.plan);
    const parts = {
      pipeline: name,
      release: request.release,
      dryRun: request.dryRun,
      plan,
      why,
      functions: await this.changes(spec, functions, before),
      ...(before !== undefined && { before: before.stable }),
    };
    if (request.dryRun) return { ...parts, ...(await this.foreseen(name, request, version, before)) };

    const reason = by(request.reason ?? 'deployed over the API');
    const registered = await this.store.definitions.registerRelease({
      release: { pipeline: name, hash: request.release, spec, functions },
      ...version,
      ...(before !== undefined && { parent: before.stable.version }),
      by: reason,
    });
    const isMoving = before !== undefined && !request.hold && before.stable.version !== registered.version.name;
    if (isMoving)
      await this.store.definitions.setStable({
        pipeline: name,
        version: registered.version.name,
        revision: before.stable.revision,
        by: reason,
      });
    const shown = presentVersion(registered.version, await findPipeline(this.store, name));
    return { ...parts, version: shown, created: registered.created, stable: shown.stable };
  }

  private async manifestOf({ release, dryRun, manifest }: Request): Promise<ReleaseManifest> {
    if (manifest !== undefined && !dryRun)
      throw notThere('/manifest', 'the manifest of a release comes with its upload, and here with dryRun only');
    const known = await this.store.bundles.manifest(release);
    if (known !== undefined) return known;
    if (manifest?.hash === release) return manifest;
    throw new ProblemError('RELEASE_NOT_UPLOADED', `Release ${release} was not uploaded.`);
  }

  private async foreseen(
    name: string,
    { release, hold }: Request,
    version: Omit<Awaited<ReturnType<typeof planFor>>, 'plan' | 'why'>,
    before: PipelineRow | undefined,
  ) {
    const hash = hashVersion({ release, ...version });
    const there = before === undefined ? undefined : (await this.store.definitions.versions(name)).find((each) => each.hash === hash);
    return {
      ...(there !== undefined && before !== undefined && { version: presentVersion(there, before) }),
      created: there === undefined,
      stable: before === undefined || !hold || there?.name === before.stable.version,
    };
  }

  /** Against the release that is stable now. */
  private async changes({ name, nodes }: PipelineSpec, functions: FunctionHashes, before: PipelineRow | undefined) {
    const known = before === undefined ? {} : await this.store.definitions.functionHashes(name, before.stable.release);
    return nodes.map(({ id }) => {
      const change = known[id] === undefined ? 'new' : known[id] === functions[id] ? 'same' : 'changed';
      return { node: id, change } as const;
    });
  }
}
