import { z } from 'zod';

const ROLES = ['workflows', 'control', 'functions', 'feeder', 'learner'] as const;
const path = z.string().min(1, 'is empty. Give a path, relative to this file');
const address = z.url({ protocol: /^https?$/, error: 'is no http address. Give one such as http://127.0.0.1:4000' });

/** Paths are relative to the file that says them. A setting that is not known is refused: it would be a misspelt one. */
export const Config = z.strictObject({
  /** Modules that export pipelines, by the name that commands know them by: the pipeline's own, best. */
  pipelines: z.record(
    z.string(),
    z.union([
      path,
      z.strictObject({
        /** What is deployed. */
        module: path,
        /** Exports the same pipeline beside `samples` and `fakes`, for `test` and `check` (default: the module itself). */
        samples: path.optional(),
      }),
    ]),
  ),
  /** Of the admin API (default: that of the running local stack). Tokens do not belong here: AUTOFLOW_TOKEN. */
  api: address.optional(),
  /** Where records are sent (default: that of the running local stack). */
  ingest: address.optional(),
  /** Of `autoflow worker`. Its addresses and secrets are the environment's. */
  worker: z
    .strictObject({
      /** Default: all but learner. */
      roles: z.array(z.enum(ROLES)).min(1).optional(),
      /** Whose functions it runs (default: all there are). */
      pipelines: z.array(z.string().min(1)).min(1).optional(),
      /** Its name in the fleet (default: that of the machine, and the process). */
      host: z.string().min(1).optional(),
      /** Folder of releases that were fetched. */
      releases: path.optional(),
      /** Folders that backfills may read files from. */
      sources: z.array(path).min(1).optional(),
      logLevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
    })
    .optional(),
});
export type Config = z.infer<typeof Config>;

/** Types what `autoflow.config.ts` exports by default; the commands check it. */
export function defineConfig(config: Config): Config {
  return config;
}

export interface ConfiguredModule {
  readonly name: string;
  readonly module: string;
  readonly samples: string;
}

export function modulesOf({ pipelines }: Config): ConfiguredModule[] {
  return Object.entries(pipelines).map(([name, given]) => {
    const { module, samples = module } = typeof given === 'string' ? { module: given } : given;
    return { name, module, samples };
  });
}
