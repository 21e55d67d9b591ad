/** The one place where the worker process reads its environment. */
import { createRequire } from 'node:module';
import { homedir, hostname } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { BatchStoreSettings } from '@autoflow/store/batches';
import type { WorkerOptions } from '@autoflow/worker';
import { parsePayloadKeys } from '@autoflow/workflows/codec';
import { z } from 'zod';

const ROLES = ['workflows', 'control', 'functions', 'feeder', 'learner'] as const;
/** Who trains is asked to: learning costs cores that others may want. */
const USUAL_ROLES: readonly (typeof ROLES)[number][] = ['workflows', 'control', 'functions', 'feeder'];
const SECRET = 'AUTOFLOW_SECRET_';

const DAYS = z.coerce
  .number({ error: 'is not a number of days. Give a whole number from 1' })
  .int('is not a whole number of days')
  .min(1, 'is less than one day');

/** Every variable, with what to give when it is missing or wrong. */
const Settings = z.object({
  DATABASE_URL: z
    .string({ error: 'is missing. Give postgres://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\//, 'is not a postgres:// URL. Give postgres://user:password@host:port/database'),
  AUTOFLOW_RELEASES: z.string().min(1, 'is empty. Give a folder of this host, in which releases are kept that were fetched').optional(),
  AUTOFLOW_BATCHES: z
    .string()
    .regex(/^(postgres|file:.+)$/, `is neither 'postgres' nor 'file:FOLDER'. All hosts need the same batch store`)
    .default('postgres'),
  AUTOFLOW_SOURCES: z
    .string()
    .transform((folders) => folders.split(delimiter).filter((folder) => folder !== ''))
    .refine((folders) => folders.length > 0 && folders.every((folder) => isAbsolute(folder)), {
      error: `is no list of absolute folders. Give those that backfills may read files from, separated by '${delimiter}'`,
    })
    .optional(),
  AUTOFLOW_ROLES: z
    .string()
    .default(USUAL_ROLES.join(','))
    .transform((roles) => roles.split(',').map((role) => role.trim()))
    .pipe(
      z
        .array(
          z.enum(ROLES, {
            error: ({ input }) => `names the role '${String(input)}'. Give some of ${ROLES.join(', ')}, separated by commas`,
          }),
        )
        .min(1),
    ),
  AUTOFLOW_PIPELINES: z
    .string()
    .transform((names) => names.split(',').map((name) => name.trim()))
    .refine((names) => names.every((name) => name !== ''), 'is no list of pipelines. Give their names, separated by commas')
    .optional(),
  AUTOFLOW_HOST: z
    .string()
    .min(1, 'is empty. Give a name that no other process has')
    .default(() => `${hostname()}-${process.pid}`),
  AUTOFLOW_METRICS_ADDRESS: z
    .string()
    .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}$/i, 'is no address. Give an IP address and a port, such as 127.0.0.1:9464')
    .optional(),
  AUTOFLOW_METERING_DAYS: DAYS.default(30),
  AUTOFLOW_BATCH_DAYS: DAYS.default(14),
  AUTOFLOW_EVENT_DAYS: DAYS.default(30),
  AUTOFLOW_RECORDING_DAYS: DAYS.default(7),
  AUTOFLOW_RECORD_SHARE: z.coerce
    .number({ error: 'is not a number. Give the share of the records that is recorded, from 0 (none) to 1 (all)' })
    .min(0, 'is less than 0. Give 0 to record nothing')
    .max(1, 'is more than 1. Give 1 to record everything')
    .default(0.01),
  AUTOFLOW_PROBE_SHARE: z.coerce
    .number({ error: 'is not a number. Give the share of the batches that are probes, from 0 (none) to 1 (all)' })
    .min(0, 'is less than 0. Give 0 to send no probes')
    .max(1, 'is more than 1. Give the share of the batches that are probes, such as 0.05')
    .optional(),
  AUTOFLOW_LEARNER_SHARE: z.coerce
    .number({
      error:
        'is not a number. Give the share of a core that a learner uses while others use the machine, such as 0.03; 1: all that it gets',
    })
    .min(0.001, 'is less than 0.001. Give the share of a core that a learner uses while others use the machine, such as 0.03')
    .max(1, 'is more than 1. Give 1 to let a learner use all that it gets')
    .optional(),
  AUTOFLOW_POLICY: z.string().min(1, 'is empty. Give the file of a policy to control allocations by').optional(),
  AUTOFLOW_WEBHOOKS_PRIVATE: z.enum(['allow', 'refuse'], { error: 'is neither allow nor refuse' }).default('refuse'),
  AUTOFLOW_PAYLOAD_KEYS: z
    .string()
    .superRefine((keys, context) => {
      try {
        parsePayloadKeys(keys);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `is no list of keys: ${(error as Error).message}` });
      }
    })
    .optional(),
  AUTOFLOW_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'is not a level. Give debug, info, warn or error' })
    .default('info'),
});

/** All problems at once, each with its remedy. Values of variables are not repeated: some are secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'SETTINGS_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(`the environment does not say how to run:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

export function readSettings(environment: NodeJS.ProcessEnv): WorkerOptions {
  const parsed = Settings.safeParse(environment);
  const temporal = readTemporal(environment);
  const problems = [
    ...(parsed.error?.issues.map(({ path, message }) => `${String(path[0])} ${message}`) ?? []),
    ...('problem' in temporal ? [temporal.problem] : []),
  ];
  if (!parsed.success || 'problem' in temporal) throw new SettingsError(problems);
  const settings = parsed.data;
  return {
    roles: settings.AUTOFLOW_ROLES,
    temporal,
    databaseUrl: settings.DATABASE_URL,
    batchStore: batchStoreOf(settings.AUTOFLOW_BATCHES, settings.DATABASE_URL),
    releases: settings.AUTOFLOW_RELEASES ?? join(cacheFolder(environment), 'releases'),
    ...(settings.AUTOFLOW_SOURCES !== undefined && { sources: settings.AUTOFLOW_SOURCES }),
    ...(settings.AUTOFLOW_PIPELINES !== undefined && { pipelines: settings.AUTOFLOW_PIPELINES }),
    secret: (name) => environment[`${SECRET}${name}`],
    host: settings.AUTOFLOW_HOST,
    logLevel: settings.AUTOFLOW_LOG_LEVEL,
    ...(settings.AUTOFLOW_METRICS_ADDRESS !== undefined && { metricsAddress: settings.AUTOFLOW_METRICS_ADDRESS }),
    retention: {
      meteringDays: settings.AUTOFLOW_METERING_DAYS,
      batchDays: settings.AUTOFLOW_BATCH_DAYS,
      eventDays: settings.AUTOFLOW_EVENT_DAYS,
      recordingDays: settings.AUTOFLOW_RECORDING_DAYS,
    },
    recordShare: settings.AUTOFLOW_RECORD_SHARE,
    ...(settings.AUTOFLOW_PROBE_SHARE !== undefined && { probeShare: settings.AUTOFLOW_PROBE_SHARE }),
    ...(settings.AUTOFLOW_PAYLOAD_KEYS !== undefined && { payloadKeys: settings.AUTOFLOW_PAYLOAD_KEYS }),
    ...(settings.AUTOFLOW_ROLES.includes('learner') && {
      learner: {
        program: createRequire(import.meta.url).resolve('@autoflow/learning/learner'),
        ...(settings.AUTOFLOW_LEARNER_SHARE !== undefined && { beside: settings.AUTOFLOW_LEARNER_SHARE }),
      },
    }),
    ...(settings.AUTOFLOW_ROLES.includes('control') && {
      controller: {
        program: createRequire(import.meta.url).resolve('@autoflow/learning/controller'),
        ...(settings.AUTOFLOW_POLICY !== undefined && { policy: settings.AUTOFLOW_POLICY }),
      },
      optimizer: { program: createRequire(import.meta.url).resolve('@autoflow/learning/optimizer') },
    }),
    webhooks: { allowPrivate: settings.AUTOFLOW_WEBHOOKS_PRIVATE === 'allow' },
  };
}

/** What is there can be fetched again. */
function cacheFolder({ XDG_CACHE_HOME: base }: NodeJS.ProcessEnv): string {
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'autoflow');
}

/** TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TLS variables and temporal.toml, as every Temporal tool reads them. */
function readTemporal(environment: NodeJS.ProcessEnv): WorkerOptions['temporal'] | { readonly problem: string } {
  try {
    const given = Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({ overrideEnvVars: given });
    const { address = 'localhost:7233', apiKey, tls } = connectionOptions;
    return { address, namespace, ...(typeof apiKey === 'string' && { apiKey }), ...(tls && { tls }) };
  } catch (error) {
    return { problem: `TEMPORAL_* or temporal.toml cannot be used: ${(error as Error).message}` };
  }
}

function batchStoreOf(batches: string, databaseUrl: string): BatchStoreSettings {
  return batches === 'postgres'
    ? { driver: 'postgres', connectionString: databaseUrl }
    : { driver: 'file', folder: batches.slice('file:'.length) };
}
