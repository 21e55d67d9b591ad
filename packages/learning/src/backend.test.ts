import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type BackendName, loadBackend, type TensorBackend } from './backend.js';

test.each<BackendName>(['native', 'wasm'])('a small graph convolution learns on the %s backend', async (wanted) => {
  const lines: string[] = [];
  const backend = await loadBackend(wanted, (line) => lines.push(line));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`tensor backend: ${backend.name}`);
  const losses = train(backend, 60);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 10);
});

test('the native backend is in use wherever the set-up could provide it', async () => {
  const provided = readFileSync(new URL('../../../node_modules/.cache/autoflow/tensorflow', import.meta.url), 'utf8');
  const { name } = await loadBackend('native', () => undefined);
  expect(name).toBe(provided.startsWith('native') ? 'native' : 'wasm');
});

/** Two-layer GCN, H' = ReLU(Â H W): each node of 8 rings [8, 16, 4] learns the mean of its neighbours' first feature. */
function train({ tf }: TensorBackend, steps: number): number[] {
  const [graphs, nodes, features, hidden] = [8, 16, 4, 16];
  const adjacency = tf.tensor2d(ringAdjacency(nodes));
  const input = tf.randomNormal([graphs, nodes, features], 0, 1, 'float32', 7);
  const spread = (values: ReturnType<typeof tf.tensor>) => tf.matMul(adjacency.expandDims(0).tile([graphs, 1, 1]), values);
  const target = spread(input).slice([0, 0, 0], [graphs, nodes, 1]);
  const weights = [
    tf.variable(tf.randomNormal([features, hidden], 0, 0.5, 'float32', 1)),
    tf.variable(tf.randomNormal([hidden, 1], 0, 0.5, 'float32', 2)),
  ] as const;
  const times = (values: ReturnType<typeof tf.tensor>, weight: ReturnType<typeof tf.tensor>) =>
    tf.matMul(values, weight.expandDims(0).tile([graphs, 1, 1]));
  const loss = () => tf.losses.meanSquaredError(target, times(tf.relu(times(spread(input), weights[0])), weights[1])).asScalar();
  const optimizer = tf.train.adam(0.05);
  return Array.from({ length: steps }, () => optimizer.minimize(loss, true, [...weights])!.dataSync()[0]!);
}

/** Each node's neighbours at weight 1/2. */
function ringAdjacency(nodes: number): number[][] {
  const neighbours = (row: number, column: number) => (row + 1) % nodes === column || (column + 1) % nodes === row;
  return Array.from({ length: nodes }, (_, row) => Array.from({ length: nodes }, (_, column) => (neighbours(row, column) ? 0.5 : 0)));
}
