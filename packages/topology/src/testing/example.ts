import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';

/** A node with the least that is needed; the rest is given. */
export function node(id: string, given: Partial<NodeSpec> = {}): NodeSpec {
  const retry = { maximumAttempts: 5, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 };
  return {
    id,
    name: id,
    kind: 'function',
    effect: 'pure',
    inputs: [],
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 1000,
    retry,
    ...given,
  };
}

/** Orders in the order a hurried author would write them: the filter late, though not after the write. */
export const orders: PipelineSpec = {
  name: 'orders',
  key: 'invoiceNo',
  input: ['invoiceNo', 'country', 'customerId', 'lines'],
  output: ['invoiceNo', 'risk', 'stored'],
  nodes: [
    node('find-currency', { reads: ['country'], writes: ['currency'] }),
    node('look-up-rate', {
      effect: 'read',
      inputs: ['find-currency'],
      reads: ['currency'],
      writes: ['toGbp'],
      uses: ['rates'],
      timeoutMs: 5000,
    }),
    node('split-lines', { kind: 'expand', inputs: ['look-up-rate'], reads: ['lines'], writes: ['category', 'pence'] }),
    node('revenue-by-category', {
      kind: 'reduce',
      inputs: ['split-lines'],
      scope: ['split-lines'],
      reads: ['category', 'pence'],
      writes: ['revenue'],
    }),
    node('score-fraud', { inputs: ['revenue-by-category'], reads: ['customerId', 'revenue'], writes: ['risk'] }),
    node('is-sale', { kind: 'filter', inputs: ['score-fraud'], reads: ['invoiceNo', 'lines'] }),
    node('store-order', {
      effect: 'idempotent-write',
      inputs: ['is-sale'],
      reads: ['invoiceNo', 'toGbp', 'revenue', 'risk'],
      writes: ['stored'],
      uses: ['db'],
      batched: true,
      retry: { maximumAttempts: 3, initialIntervalMs: 200, backoffCoefficient: 2, maximumIntervalMs: 5000 },
    }),
  ],
  resources: [
    { name: 'rates', secrets: ['RATES_TOKEN'], limit: { concurrency: 10, perSecond: 50 } },
    { name: 'db', secrets: ['ORDERS_DATABASE_URL'], limit: { concurrency: 20 } },
  ],
  schemas: { input: { type: 'object' }, output: { type: 'object' } },
};
