import { expect, it } from 'vitest';
import { Closing } from './closing.js';

it('closes everything in reverse order, whatever goes wrong with one, and tells the first trouble', async () => {
  const closed: string[] = [];
  const closing = new Closing();
  for (const name of ['first', 'second', 'third'])
    closing.add({
      close: async () => {
        closed.push(name);
        if (name !== 'first') throw new Error(`${name} is stuck`);
      },
    });
  await expect(closing.close()).rejects.toThrow('third is stuck');
  expect(closed).toEqual(['third', 'second', 'first']);
  await closing.close();
  expect(closed).toHaveLength(3);
});
