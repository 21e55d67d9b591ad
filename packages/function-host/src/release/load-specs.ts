import { fork } from 'node:child_process';
import type { PipelineSpec } from '@autoflow/pipeline';
import { Tail } from '../process/tail.js';
import { ReleaseError } from './errors.js';
import type { Inspection } from './inspect.js';

const LOAD_WITHIN_MS = 20_000;

/**
 * Specs of the pipelines that a bundle exports, sorted by name. The bundle is loaded in a process of its own, without environment:
 * one that throws, exits or never ends loading is an error here, and nothing else.
 */
export async function loadSpecs(bundle: string, inspector: string, withinMs = LOAD_WITHIN_MS): Promise<PipelineSpec[]> {
  const inspection = await inspectApart(bundle, inspector, withinMs);
  if (inspection.type === 'error')
    throw new ReleaseError(
      'RELEASE_DOES_NOT_LOAD',
      `The module throws when it is loaded: ${inspection.error}${remedyFor(inspection.error)}`,
    );
  if (inspection.specs.length === 0) {
    throw new ReleaseError('RELEASE_WITHOUT_PIPELINE', 'The module exports no pipeline. Export what definePipeline(…) answers.');
  }
  return inspection.specs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const remedyFor = (error: string): string =>
  /\bCannot find (module|package) /.test(error)
    ? '\nA release carries what the bundler sees: import a module by its name in quotes, not by one that is only known when it runs.'
    : '';

function inspectApart(bundle: string, inspector: string, withinMs: number): Promise<Inspection> {
  return new Promise((resolve, reject) => {
    const child = fork(inspector, [bundle], { env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const errors = new Tail(2_048);
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => errors.add(text));
    // What the module itself sends is no inspection.
    child.on('message', (message) => isInspection(message) && resolve(message));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      const end =
        signal === 'SIGKILL' ? `did not finish loading within ${withinMs} ms` : `ended the process (code ${code}) when it was loaded`;
      const message =
        `The module ${end}. A pipeline module defines, and opens nothing: resources open in defineResource. ${errors.text}`.trim();
      reject(new ReleaseError('RELEASE_DOES_NOT_LOAD', message)); // Settled already when it has answered.
    });
  });
}

function isInspection(message: unknown): message is Inspection {
  if (typeof message !== 'object' || message === null) return false;
  const { type, specs, error } = message as {
    readonly [name: string]: unknown;
  };
  return type === 'specs' ? Array.isArray(specs) : type === 'error' && typeof error === 'string';
}
