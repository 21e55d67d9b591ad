import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import type { PipelineSpec } from '@autoflow/pipeline';
import { Tail } from '../process/tail.js';
import { ReleaseError } from './errors.js';
import type { Inspection } from './inspect.js';

const LOAD_WITHIN_MS = 20_000;

/**
 * A process of its own, without environment, that loads one bundle: one that throws, exits or never ends loading is an error here, and nothing
 * else. It starts at once, so that it is up when there is something to load; `close` ends it.
 */
export class Inspector {
  readonly #child: ChildProcess;
  readonly #errors = new Tail(2_048);
  /** How it ended, or why it did not start. */
  readonly #end: Promise<string | Error>;

  constructor(program: string) {
    this.#child = fork(program, { env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#errors.add(text));
    this.#end = new Promise((resolve) => {
      this.#child.once('error', resolve);
      this.#child.once('exit', (code) => resolve(`ended the process (code ${code}) when it was loaded`));
    });
  }

  /** Specs of the pipelines that a bundle exports, sorted by name. */
  async specsIn(bundle: string, withinMs = LOAD_WITHIN_MS): Promise<PipelineSpec[]> {
    const inspection = await this.#inspect(bundle, withinMs);
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

  close(): void {
    this.#child.kill('SIGKILL');
  }

  async #inspect(bundle: string, withinMs: number): Promise<Inspection> {
    // What the module itself sends is no inspection.
    const told = new Promise<Inspection>((resolve) => this.#child.on('message', (message) => isInspection(message) && resolve(message)));
    const timer = new AbortController();
    const late = after(withinMs, `did not finish loading within ${withinMs} ms`, { signal: timer.signal });
    // One that is gone cannot be told; it is known by its end.
    this.#child.send(bundle, () => {});
    const first = await Promise.race([told, this.#end, late]);
    timer.abort();
    if (first instanceof Error) throw first;
    if (typeof first !== 'string') return first;
    const message = `The module ${first}. A pipeline module defines, and opens nothing: resources open in defineResource. ${this.#errors.text}`;
    throw new ReleaseError('RELEASE_DOES_NOT_LOAD', message.trim());
  }
}

const remedyFor = (error: string): string =>
  /\bCannot find (module|package) /.test(error)
    ? '\nA release carries what the bundler sees: import a module by its name in quotes, not by one that is only known when it runs.'
    : '';

function isInspection(message: unknown): message is Inspection {
  if (typeof message !== 'object' || message === null) return false;
  const { type, specs, error } = message as {
    readonly [name: string]: unknown;
  };
  return type === 'specs' ? Array.isArray(specs) : type === 'error' && typeof error === 'string';
}
