import { Body, Controller, HttpStatus, Inject, Param, Res } from '@nestjs/common';
import { UploadedRelease, UploadRelease } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, ProblemError, Put } from '@autoflow/http';
import type { StoredBundle, Store } from '@autoflow/store';
import { hashModule, sha256 } from '@autoflow/topology';
import type { Response } from 'express';
import type { z } from 'zod';
import { specProblems } from '../pipelines/spec-problems.js';
import { STORE } from '../ports.js';
import { refused } from '../versions/plan.js';

/** The code of releases. It is kept and handed out, never run here. */
@Controller('v1/releases')
export class BundlesController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Put(':release', {
    summary: 'Upload the code of a release. 201 when it is new, 200 when it was there',
    note: 'Function hosts fetch it from here. It runs nowhere until it is deployed.',
    access: 'admin',
    answers: UploadedRelease,
    status: 201,
    maybeThere: true,
    idempotent: 'kept',
    problems: [...BODY_PROBLEMS, 'SPEC_INVALID', 'RELEASE_HASH_WRONG'],
  })
  async upload(
    @Param('release') hash: string,
    @Body({ schema: UploadRelease }) { manifest, code, sourceMap }: z.output<typeof UploadRelease>,
    @Res({ passthrough: true }) response: Response,
  ) {
    const bundle: StoredBundle = {
      manifest,
      code: Buffer.from(code),
      ...(sourceMap !== undefined && { sourceMap: Buffer.from(sourceMap) }),
    };
    checkHashes(hash, bundle);
    manifest.specs.forEach((spec, i) => {
      const problems = specProblems(spec);
      if (problems.length > 0) throw refused('SPEC_INVALID', problems, `/manifest/specs/${i}`);
    });
    const { created } = await this.store.bundles.put(bundle);
    if (!created) response.status(HttpStatus.OK);
    return { hash, created, bytes: bundle.code.length, pipelines: manifest.specs.map(({ name }) => name) };
  }
}

function checkHashes(hash: string, { manifest, code }: StoredBundle): void {
  const found = { bundle: sha256(code), hash: hashModule(manifest.specs, code) };
  const wrong = [
    ...(manifest.hash === hash ? [] : [{ pointer: '/manifest/hash', message: `the address says ${hash}` }]),
    ...(manifest.bundle === found.bundle ? [] : [{ pointer: '/manifest/bundle', message: `the code has the hash ${found.bundle}` }]),
    ...(manifest.hash === found.hash ? [] : [{ pointer: '/manifest/hash', message: `wiring and code have the hash ${found.hash}` }]),
  ];
  if (wrong.length > 0) throw new ProblemError('RELEASE_HASH_WRONG', `The release is named ${hash}, and ${wrong[0]!.message}.`, wrong);
}
