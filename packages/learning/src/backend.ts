import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type * as TensorFlow from '@tensorflow/tfjs';
import type * as WebAssemblyBackend from '@tensorflow/tfjs-backend-wasm';

export type BackendName = 'native' | 'wasm';

/** Tensors, with what computes them. The library is one per process: the backend loaded last is the one in use. */
export interface TensorBackend {
  readonly name: BackendName;
  readonly tf: typeof TensorFlow;
}

const require = createRequire(import.meta.url);

/**
 * Loads the tensor library with the backend that was asked for, and says in one line which one is in use and why.
 * Asked for `native` on a machine that does not have it, it falls back to WebAssembly, which computes the same.
 * Which is faster depends on the work: native wins on large batches, WebAssembly on many small tensors.
 */
export async function loadBackend(wanted: BackendName, log: (line: string) => void): Promise<TensorBackend> {
  if (wanted === 'wasm') return await wasm('as configured', log);
  try {
    return await native(log);
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0];
    return await wasm(`the native library did not load (${reason}; \`npm run setup -- --only tensorflow\` tries to get it)`, log);
  }
}

async function native(log: (line: string) => void): Promise<TensorBackend> {
  restoreUtil();
  silenceBanner();
  const tf = require('@tensorflow/tfjs-node') as typeof TensorFlow;
  await tf.setBackend('tensorflow');
  log('tensor backend: native (libtensorflow)');
  return { name: 'native', tf };
}

async function wasm(reason: string, log: (line: string) => void): Promise<TensorBackend> {
  const tf = require('@tensorflow/tfjs') as typeof TensorFlow;
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const { setWasmPaths } = require(entry) as typeof WebAssemblyBackend;
  setWasmPaths(dirname(entry) + sep);
  if (!(await tf.setBackend('wasm'))) throw new Error('Neither the native nor the WebAssembly tensor backend starts on this machine');
  log(`tensor backend: wasm, because ${reason}`);
  return { name: 'wasm', tf };
}

/** tfjs-node 4.22 calls two functions that Node 23 removed. */
function restoreUtil(): void {
  const util = require('node:util') as { isNullOrUndefined?: unknown; isArray?: unknown };
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

/** Otherwise libtensorflow prints which processor instructions it uses. */
function silenceBanner(): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
}
