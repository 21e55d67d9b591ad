/** `node train-variant.js VARIANT FOLDER STEPS`: trains one policy and leaves it, with its curve, as JSON. One process, one core, one variant. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { A3C, bytesOf, loadBackend, PPO, train, type AgentSettings } from '@autoflow/learning';
import { functions, otherLengths, selectionOf, TRAINED_LENGTHS, trainingScenario } from './scenarios.js';
import { VALIDATED, VARIANTS } from './variants.js';

const [variant = '', folder = '', steps = ''] = process.argv.slice(2);
const given = VARIANTS[variant];
if (given === undefined) throw new Error(`There is no variant '${variant}'.`);
const sets = await functions();
const backend = await loadBackend('native', (line) => console.error(line));
const settings: AgentSettings = { ...(given.algorithm === 'ppo' ? PPO : A3C), ...given.settings, steps: Number(steps) };
const trained = train({
  backend,
  settings,
  scenarioOf: (seed) => trainingScenario(seed, sets, given.otherLengths ? otherLengths(seed >> 1) : TRAINED_LENGTHS),
  validation: selectionOf(sets, VALIDATED),
  validationK: 20,
  every: Math.ceil(settings.steps / 10),
  progress: ({ steps: done, score, cost, late }) =>
    console.error(
      `${variant}: ${done} steps, validation J ${score.toFixed(3)}, cost ${cost.toFixed(2)}, late ${(100 * late).toFixed(1)} %`,
    ),
});
const { user, system } = process.cpuUsage();
await mkdir(folder, { recursive: true });
const path = join(folder, `${variant}.json`);
const document = {
  variant,
  settings,
  data: sets.about,
  backend: backend.name,
  cpuSeconds: (user + system) / 1e6,
  best: trained.best,
  curve: trained.curve,
  weights: bytesOf(trained.parameters).toString('base64'),
};
await writeFile(`${path}.new`, JSON.stringify(document));
await rename(`${path}.new`, path);
