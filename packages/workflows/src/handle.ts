/** A typed name for the direct door of a pipeline. Takes the pipeline's type only: importing the pipeline would pull its handlers along. */
import type { AnyPipeline, InputOf, OutputOf } from '@autoflow/pipeline';
import type { DirectResult } from '@autoflow/topology/execution';

/** `DirectResult` with the fields that the pipeline declares as its output. */
export type ResultOf<P extends AnyPipeline> = Omit<DirectResult, 'results'> & {
  readonly results: readonly { readonly key: string; readonly output: OutputOf<P> }[];
};

/** What `client.workflow.start` and `execute` take as a workflow type: its argument is one record or several. */
export type PipelineHandle<P extends AnyPipeline> = (records: InputOf<P> | readonly InputOf<P>[]) => Promise<ResultOf<P>>;

/**
 * The pipeline's workflow type, with the types of its records:
 *
 * ```ts
 * import type { retailOrders } from './pipeline.js';
 * const { results } = await client.workflow.execute(pipelineHandle<typeof retailOrders>('retail-orders'), {
 *   taskQueue: 'autoflow', workflowId: 'order-1', args: [{ InvoiceNo: '536365', rows }],
 * });
 * ```
 *
 * At run time it is the name: the client takes a name wherever it takes a function.
 */
export function pipelineHandle<P extends AnyPipeline>(name: P['name']): PipelineHandle<P> {
  return name as unknown as PipelineHandle<P>;
}
