/** The controller's thread: network and twin, apart from the event loop of the worker that asks it. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { ControllerRequest } from '@autoflow/optimizer';
import { parsePolicy, pretrainedPolicy, type Policy } from '../agent/policy.js';
import { answerTo, contestants } from './answer.js';

/** `policy`: a file; default: the policy that comes with AutoFlow. */
const { policy: path } = (workerData ?? {}) as { readonly policy?: string };
const between = contestants(policyOf(path));

parentPort?.on('message', (request: ControllerRequest) => {
  try {
    parentPort?.postMessage(answerTo(request, between));
  } catch (error) {
    parentPort?.postMessage({ kind: 'failed', id: request.id, message: error instanceof Error ? error.message : String(error) });
  }
});

/** One that is missing, corrupted or of another network decides nothing: the fallback does, and says why. */
function policyOf(file: string | undefined): Policy | { readonly without: string } {
  try {
    return file === undefined ? pretrainedPolicy() : parsePolicy(readFileSync(file, 'utf8'));
  } catch (error) {
    return { without: `there is no policy to decide by: ${error instanceof Error ? error.message : String(error)}` };
  }
}
