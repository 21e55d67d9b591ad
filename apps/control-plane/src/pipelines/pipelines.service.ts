import { Inject, Injectable } from '@nestjs/common';
import type { PipelinesQuery, RegisterPipeline } from '@autoflow/client/schemas';
import { type By, pageOf } from '@autoflow/http';
import type { PipelineRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { presentSettings } from '../settings/settings.js';
import { planOf, refused } from '../versions/plan.js';
import { presentVersion } from '../versions/present.js';
import { graphOf } from './graph.js';
import { findPipeline, findRelease, findVersion } from './lookup.js';
import { specProblems } from './spec-problems.js';

@Injectable()
export class PipelinesService {
  constructor(@Inject(STORE) private readonly store: Store) {}

  /** A new pipeline starts with this version as its stable one; a known pipeline keeps its stable version. */
  async register({ spec, release, reason, ...given }: z.output<typeof RegisterPipeline>, by: By) {
    const problems = specProblems(spec);
    if (problems.length > 0) throw refused('SPEC_INVALID', problems, '/spec');
    const plan = planOf(spec, given);
    const { version, created } = await this.store.definitions.registerRelease({
      release: { pipeline: spec.name, hash: release, spec },
      ...plan,
      by: by(reason ?? 'registered over the API'),
    });
    return { version: presentVersion(version, await findPipeline(this.store, spec.name)), created };
  }

  async list({ limit, cursor }: z.output<typeof PipelinesQuery>) {
    const rows = await this.store.pages.pipelines({ limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf<PipelineRow, PipelineRow>(
      rows,
      limit,
      (row) => row,
      ({ name }) => name,
    );
  }

  async show(name: string) {
    const pipeline = await findPipeline(this.store, name);
    const { spec } = await findRelease(this.store, name, pipeline.stable.release);
    return { ...pipeline, spec, settings: presentSettings((await this.store.settings.get(name))!) };
  }

  async graph(name: string, wanted: string | undefined) {
    const pipeline = await findPipeline(this.store, name);
    const version = await findVersion(this.store, name, wanted ?? pipeline.stable.version);
    const { spec } = await findRelease(this.store, name, version.release);
    return graphOf(spec, version);
  }
}
