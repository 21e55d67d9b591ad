import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AutoFlowClient, Deployment, ReleaseManifest } from '@autoflow/client';
import { buildRelease, type Release } from '@autoflow/function-host/release';

export interface DeployOptions {
  readonly plan?: 'keep' | 'as-written';
  readonly hold?: boolean;
  readonly dryRun?: boolean;
  readonly reason: string;
}

export interface Deployed {
  readonly release: string;
  /** Of the bundle; source map not counted. */
  readonly bytes: number;
  /** Undefined in a dry run. False: the store had it already. */
  readonly uploaded?: boolean;
  /** One for each pipeline of the module. */
  readonly pipelines: readonly Deployment[];
}

/** Bundles a module, uploads it, and deploys it for every pipeline that it exports. The same code again changes nothing. */
export async function deployModule(client: AutoFlowClient, module: string, options: DeployOptions): Promise<Deployed> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-deploy-'));
  try {
    return await deployRelease(client, await buildRelease(module, folder), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function deployRelease(client: AutoFlowClient, release: Release, options: DeployOptions): Promise<Deployed> {
  const { plan = 'keep', hold = false, dryRun = false, reason } = options;
  const manifest = release.manifest as ReleaseManifest;
  const uploaded = dryRun ? undefined : (await upload(client, release, manifest)).created;
  const pipelines: Deployment[] = [];
  for (const { name } of release.specs)
    pipelines.push(await client.releases.deploy(name, { release: release.hash, plan, hold, dryRun, reason, ...(dryRun && { manifest }) }));
  return { release: release.hash, bytes: release.code.length, ...(uploaded !== undefined && { uploaded }), pipelines };
}

/** Code and map are UTF-8, as the bundler writes them. */
function upload(client: AutoFlowClient, { code, sourceMap }: Release, manifest: ReleaseManifest) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
  return client.releases.upload({ manifest, code: text(code), sourceMap: text(sourceMap) });
}
