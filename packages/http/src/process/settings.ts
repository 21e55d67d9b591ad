import { parsePayloadKeys } from '@autoflow/workflows/codec';
import { z } from 'zod';

/** What every HTTP service reads of the environment, with what to give when it is missing or wrong. */
const SERVICE_SETTINGS = {
  DATABASE_URL: z
    .string({ error: 'is not set: give the Postgres database, as postgres://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\//, 'is not of the form postgres://user:password@host:port/database'),
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
  AUTOFLOW_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'is none of debug, info, warn and error').default('info'),
};

/** A port to listen on; 0: any free one. */
export function portSetting(usual: number) {
  const message = 'is not a port: give 0 (any free one) to 65535';
  return z.coerce.number(message).int(message).min(0, message).max(65_535, message).default(usual);
}

export function bytesSetting(least: number, most: number, usual: number) {
  return z.coerce
    .number('is not a number of bytes')
    .int('is not a whole number of bytes')
    .min(least, `is less than ${least} bytes`)
    .max(most, `is more than ${most} bytes`)
    .default(usual);
}

export interface ServiceSettings {
  readonly databaseUrl: string;
  /** Of payloads to and from Temporal. */
  readonly payloadKeys?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** All that is wrong with the environment of a service at once, one line each. No line holds a value: some are secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(
    service: string,
    readonly problems: readonly string[],
  ) {
    super(`The settings of ${service} are not complete:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/**
 * What a service reads of the environment: its own settings, and those of every service. Throws a `SettingsError` with every problem. Where
 * Temporal is comes from TEMPORAL_ADDRESS and its like, or temporal.toml: @temporalio/envconfig reads them.
 */
export function parseSettings<Own extends z.ZodRawShape>(service: string, own: Own, env: NodeJS.ProcessEnv) {
  const { DATABASE_URL, ...common } = SERVICE_SETTINGS;
  const { success, data, error } = z.object({ DATABASE_URL, ...own, ...common }).safeParse(env);
  if (!success)
    throw new SettingsError(
      service,
      error.issues.map(({ path, message }) => `${path.join('.')} ${message}`),
    );
  return data;
}

/** Those that every service has, as it names them. */
export function serviceSettings(data: {
  readonly DATABASE_URL: string;
  readonly AUTOFLOW_PAYLOAD_KEYS?: string | undefined;
  readonly AUTOFLOW_LOG_LEVEL: ServiceSettings['logLevel'];
}): ServiceSettings {
  return {
    databaseUrl: data.DATABASE_URL,
    ...(data.AUTOFLOW_PAYLOAD_KEYS !== undefined && { payloadKeys: data.AUTOFLOW_PAYLOAD_KEYS }),
    logLevel: data.AUTOFLOW_LOG_LEVEL,
  };
}
