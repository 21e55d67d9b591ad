/** Code of releases in the store, for every host to fetch. */
import type { PipelineSpec } from '@autoflow/pipeline';

/** Hash of a function's own code and specification, by the id of its node. */
export type FunctionHashes = { readonly [node: string]: string };

/** What a bundle says of itself. Whoever loads it checks the two hashes; nobody needs to run it to know its pipelines. */
export interface ReleaseManifest {
  /** SHA-256 (hex) of wiring and bundle: the name of the release. */
  readonly hash: string;
  /** SHA-256 (hex) of the bundle alone. */
  readonly bundle: string;
  /** Of every pipeline that the module exports, sorted by name. */
  readonly specs: readonly PipelineSpec[];
  /** By pipeline. */
  readonly functions: { readonly [pipeline: string]: FunctionHashes };
}

export interface StoredBundle {
  readonly manifest: ReleaseManifest;
  /** One ES module. */
  readonly code: Uint8Array;
  readonly sourceMap?: Uint8Array;
}

export interface BundleStore {
  /** Keeps it under its manifest's hash, which the caller has checked. Storing the same hash again changes nothing: `created` is false. */
  put(bundle: StoredBundle): Promise<{ created: boolean }>;
  manifest(hash: string): Promise<ReleaseManifest | undefined>;
  get(hash: string): Promise<StoredBundle | undefined>;
}
