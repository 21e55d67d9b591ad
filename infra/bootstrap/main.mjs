#!/usr/bin/env node
// Makes this checkout ready to run: npm packages, Temporal server, Postgres, tensor library, build. Needs Node and npm
// only, never root. Whatever is done already is skipped; what can be shared lies in the cache folder of the user.
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { endAllOnSignal } from './commands.mjs';
import { dependencies } from './dependencies.mjs';
import { checkout, stamps } from './folders.mjs';
import { exclusively } from './lock.mjs';
import { say } from './progress.mjs';
import { ownTemporal, temporal } from './temporal.mjs';
import { tensorflow } from './tensorflow.mjs';

const MINIMUM_NODE = [20, 19];
const STEPS = { build, temporal, tensorflow };
const USAGE = 'usage: npm run setup [-- --only build | temporal | tensorflow] [--own-temporal]';

try {
  checkNode();
  endAllOnSignal();
  await setUp(wanted());
} catch (error) {
  say(error.message);
  process.exitCode = error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || error.message === USAGE ? 2 : 1;
}

async function setUp({ only, 'own-temporal': own }) {
  const steps = own ? { ...STEPS, temporal: ownTemporal } : STEPS;
  const chosen = only ? [dependencies, steps[only]] : [dependencies, ...Object.values(steps)];
  if (only === 'tensorflow') stamps.remove('tensorflow');
  if (chosen.some((step) => !step.done())) await exclusively(`setup-${checkout}`, () => runBesideEachOther(chosen, steps));
}

/** Temporal and the tensor library are slow and need no npm package at first; the rest follows the packages. */
async function runBesideEachOther(chosen, { build, temporal, tensorflow }) {
  const isOpen = (step) => chosen.includes(step) && !step.done();
  if (isOpen(temporal)) await temporal.check();
  const server = isOpen(temporal) ? temporal.run() : undefined;
  const library = isOpen(tensorflow) ? tensorflow.prepare() : undefined;
  const packages = isOpen(dependencies) ? dependencies.run() : Promise.resolve();
  const built = packages.then(() => isOpen(build) && build.run());
  const tensors = Promise.all([packages, library]).then(() => isOpen(tensorflow) && tensorflow.run());
  const all = [server, built, tensors];
  await Promise.allSettled(all);
  await Promise.all(all);
}

function wanted() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, 'own-temporal': { type: 'boolean' } } });
  if (values.only !== undefined && !(values.only in STEPS)) throw new Error(USAGE);
  return values;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  throw new Error(`Node ${process.versions.node} is too old: AutoFlow needs ${MINIMUM_NODE.join('.')} or newer (https://nodejs.org)`);
}
