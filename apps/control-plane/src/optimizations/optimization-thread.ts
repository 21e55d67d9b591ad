/** A thread of its own: a search takes a minute of one core, and the API must answer meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { PROPOSERS, proposeFrom } from '@autoflow/optimizer';
import { PlanError } from '@autoflow/twin';
import type { SearchAnswer, SearchOrder } from './search-in-thread.js';

const { measured, proposers, budget } = workerData as SearchOrder;

async function answer(): Promise<SearchAnswer> {
  try {
    return await proposeFrom(measured, { budget, proposers: PROPOSERS.filter(({ name }) => proposers.includes(name)) });
  } catch (error) {
    if (error instanceof PlanError) return { refused: error.message };
    throw error;
  }
}

parentPort?.postMessage(await answer());
