/** A typed name for the direct door: `client.workflow.execute(pipelineHandle<typeof retailOrders>('retail-orders'), …)`. */
import type { DirectResult } from '@autoflow/topology/execution';

interface PipelineType {
  readonly name: string;
}
type Input<P> = P extends { readonly __types?: { readonly input: infer I } } ? I : never;
type Output<P> = P extends { readonly __types?: { readonly output: infer O } } ? O : never;
export type { PipelineType, Input, Output, DirectResult };
