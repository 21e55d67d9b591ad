import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { usage } from '../errors.js';
import type { Project } from '../project/read-config.js';

const require = createRequire(import.meta.url);

export interface LocatedModule {
  /** As it was named. */
  readonly name: string;
  readonly file: string;
}

/** What is deployed, or what also exports `samples` and `fakes`. */
export type Part = 'pipeline' | 'all';

/** The module that a user names; none named, every one of the project. */
export function locateModules(name: string | undefined, part: Part, project: Project | undefined): readonly LocatedModule[] {
  if (name !== undefined) return [{ name, file: locateModule(name, part, project) }];
  if (project === undefined)
    throw usage(
      'Name a module, or make a project: autoflow init writes an autoflow.config.ts, whose modules are taken where none is named.',
    );
  return project.modules.map((module) => ({ name: module.name, file: fileOf(module, part) }));
}

/**
 * The file of a module that a user names: a path, a name in the project's autoflow.config.ts, or the name of an example that comes with
 * AutoFlow (`retail-orders`).
 */
export function locateModule(name: string, part: Part, project: Project | undefined): string {
  const found = findModule(name, part, project);
  if (found !== undefined) return found;
  const known = project?.modules.map((module) => module.name).join(', ');
  throw usage(
    `There is no module ${name}. Give the path of the file that exports the pipeline, ` +
      `${known === undefined ? '' : `a name in autoflow.config (${known}), `}or the name of an example: retail-orders.`,
  );
}

export function findModule(name: string, part: Part, project: Project | undefined): string | undefined {
  const path = resolve(name);
  if (/\.[cm]?[jt]s$/.test(name)) return existsSync(path) ? path : undefined;
  const configured = project?.modules.find((module) => module.name === name);
  if (configured !== undefined) return fileOf(configured, part);
  try {
    return require.resolve(`@autoflow/${name}${part === 'pipeline' ? '/pipeline' : ''}`);
  } catch {
    return undefined;
  }
}

const fileOf = ({ module, samples }: Project['modules'][number], part: Part): string => (part === 'pipeline' ? module : samples);
