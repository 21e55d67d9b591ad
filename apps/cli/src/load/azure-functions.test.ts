import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lag1Autocorrelation, minutesOf } from '@autoflow/twin';
import { readFunctions } from './azure-functions.js';

const dataFolder = process.env['AUTOFLOW_DATA'];
const isHere = dataFolder !== undefined && existsSync(join(dataFolder, 'azure-functions'));
if (!isHere) console.log('skipped: the real functions; set AUTOFLOW_DATA to the folder that holds azure-functions/invocations.csv.gz');

it.skipIf(!isHere)('143 of the 787 real functions are usable, and their minutes hardly tell the next', async () => {
  const functions = await readFunctions(dataFolder!);
  expect(functions).toHaveLength(143);
  expect(new Set(functions.map(({ id }) => id)).size).toBe(143);
  expect(functions.every((one) => minutesOf(one, 'train').length === 960 && minutesOf(one, 'test').length === 480)).toBe(true);
  const correlations = functions.map(({ perMinute }) => lag1Autocorrelation(perMinute)).sort((a, b) => a - b);
  expect(correlations[71]).toBeCloseTo(0.05, 2);
});
