import { Inject, Injectable } from '@nestjs/common';
import type { NewVersion, VersionsQuery } from '@autoflow/client/schemas';
import { type By, pageOf, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import { diffTopologies, diffToMermaid, hashVersion } from '@autoflow/topology';
import type { z } from 'zod';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { planOf } from './plan.js';
import { presentVersion } from './present.js';

@Injectable()
export class VersionsService {
  constructor(@Inject(STORE) private readonly store: Store) {}

  async list(name: string, { limit, cursor }: z.output<typeof VersionsQuery>) {
    const pipeline = await findPipeline(this.store, name);
    const rows = await this.store.pages.versions(name, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(
      rows,
      limit,
      (version) => presentVersion(version, pipeline),
      (version) => version.name,
    );
  }

  async show(name: string, version: string) {
    const pipeline = await findPipeline(this.store, name);
    const found = await findVersion(this.store, name, version);
    const [history, measured] = await Promise.all([
      this.store.definitions.statuses(name, version),
      this.store.metrics.lastDay(name, version),
    ]);
    return { ...presentVersion(found, pipeline), history, ...(measured && { measured }) };
  }

  async certificate(name: string, version: string) {
    await findPipeline(this.store, name);
    const { proposal } = await findVersion(this.store, name, version);
    if (proposal === undefined) throw new ProblemError('CERTIFICATE_NONE', `No optimizer proposed ${version}: it was registered by hand.`);
    return { version, certificate: proposal.certificate };
  }

  /** Registers nothing that is not legal. The same release, topology and envelope again answer the version there is. */
  async register(name: string, body: z.output<typeof NewVersion>, by: By) {
    const pipeline = await findPipeline(this.store, name);
    const release = await this.releaseFor(name, body.release ?? pipeline.stable.release);
    const plan = planOf(release.spec, body);
    const parent = body.parent ?? pipeline.stable.version;
    await this.checkParent(name, parent);
    const { version, created } = await this.store.definitions.registerVersion({
      pipeline: name,
      hash: hashVersion({ release: release.hash, ...plan }),
      release: release.hash,
      ...plan,
      parent,
      ...(body.note !== undefined && { note: body.note }),
      by: by(body.reason ?? body.note ?? 'registered over the API'),
    });
    return { version: presentVersion(version, pipeline), created };
  }

  /** Between releases, nodes are compared by the wiring of the second. */
  async diff(name: string, from: string, to: string) {
    await findPipeline(this.store, name);
    const [a, b] = await Promise.all([findVersion(this.store, name, from), findVersion(this.store, name, to)]);
    const { spec } = await findRelease(this.store, name, b.release);
    const both = [spec, a.topology, b.topology] as const;
    return { from, to, changes: diffTopologies(...both), mermaid: diffToMermaid(...both) };
  }

  private async releaseFor(pipeline: string, hash: string) {
    const release = await this.store.definitions.release(pipeline, hash);
    if (release === undefined) throw notThere('/release', `${pipeline} has no release ${hash}`);
    return release;
  }

  private async checkParent(pipeline: string, parent: string): Promise<void> {
    if ((await this.store.definitions.version(pipeline, parent)) === undefined)
      throw notThere('/parent', `${pipeline} has no version ${parent}`);
  }
}

/** What a body names and the store does not have. */
export function notThere(pointer: string, message: string): ProblemError {
  return new ProblemError('INVALID_BODY', `${message}.`, [{ pointer, message }]);
}
