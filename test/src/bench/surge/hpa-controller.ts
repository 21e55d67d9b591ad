/** The thread of a controller that follows the rule of Kubernetes' autoscaler, as it is: with its options in the file that a policy would be in. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { decideOn, hpa, type ControllerAnswer, type ControllerRequest, type HpaOptions } from '@autoflow/optimizer';

const rule = hpa(JSON.parse(readFileSync((workerData as { readonly policy: string }).policy, 'utf8')) as HpaOptions);

parentPort?.on('message', ({ id, observed }: ControllerRequest) => {
  parentPort?.postMessage({ kind: 'decided', id, without: 'this is HPA', fallback: decideOn(observed, rule) } satisfies ControllerAnswer);
});
