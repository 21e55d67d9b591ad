import type { StageBench } from './stage-bench.js';

const never = new AbortController().signal;

/** Milliseconds from nothing to an instance that takes invocations, one at a time, `times` times. */
export async function measureColdStarts(
  bench: StageBench,
  { memoryMb, times }: { readonly memoryMb: number; readonly times: number },
): Promise<number[]> {
  const figures: number[] = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    const instance = await bench.instance({ memoryMb });
    figures.push(performance.now() - begin);
    await instance.close();
  }
  return figures;
}

/** Milliseconds of host → instance → host beyond the handlers' own, one warm invocation after the other. The bench's module must be `echo`. */
export async function measureInvocations(
  bench: StageBench,
  {
    memoryMb,
    records,
    bytes,
    times,
  }: { readonly memoryMb: number; readonly records: number; readonly bytes: number; readonly times: number },
): Promise<number[]> {
  const input = await bench.batch(Array.from({ length: records }, (_, i) => ({ id: String(i), payload: 'x'.repeat(bytes / records) })));
  const invocation = bench.invocation(input, { nodes: ['stamp'] });
  const instance = await bench.instance({ memoryMb });
  const figures: number[] = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    const result = await instance.invoke(invocation, false, never);
    const ms = performance.now() - begin;
    if (result.type !== 'answer') throw new Error(`the invocation did not answer: ${JSON.stringify(result)}`);
    figures.push(ms - result.usage.spans.reduce((sum, { wallMs }) => sum + wallMs, 0));
  }
  await instance.close();
  return figures;
}
