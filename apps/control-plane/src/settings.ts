import { parsePayloadKeys } from '@autoflow/workflows/codec';
import { z } from 'zod';

const Settings = z.object({
  DATABASE_URL: z
    .string({ error: 'is not set: give the Postgres database, as postgres://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\//, 'is not of the form postgres://user:password@host:port/database'),
  AUTOFLOW_API_HOST: z.string().min(1).default('127.0.0.1'),
  AUTOFLOW_API_PORT: z.coerce.number('is not a port: give 0 (any free one) to 65535').int().min(0).max(65_535).default(4000),
  AUTOFLOW_API_BODY_LIMIT_BYTES: z.coerce
    .number('is not a number of bytes')
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024),
  AUTOFLOW_RELEASE_LIMIT_BYTES: z.coerce
    .number('is not a number of bytes')
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(32 * 1024 * 1024),
  AUTOFLOW_API_REQUESTS_PER_MINUTE: z.coerce.number('is not a number').int().min(1).default(1_200),
  AUTOFLOW_ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{24,500}$/, 'is not a token: give 24 to 500 random visible ASCII characters, such as of `openssl rand -hex 24`')
    .optional(),
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
});

export interface Settings {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly bodyLimitBytes: number;
  readonly releaseLimitBytes: number;
  readonly requestsPerMinute: number;
  /** Is an admin's once the control plane has started. */
  readonly adminToken?: string;
  /** Of payloads to and from Temporal. */
  readonly payloadKeys?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** All that is wrong with the environment at once, one line each. No line holds a value: some are secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(`The settings of the control plane are not complete:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Where Temporal is comes from TEMPORAL_ADDRESS and its like, or temporal.toml: @temporalio/envconfig reads them. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { success, data, error } = Settings.safeParse(env);
  if (!success) throw new SettingsError(error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
  return {
    databaseUrl: data.DATABASE_URL,
    host: data.AUTOFLOW_API_HOST,
    port: data.AUTOFLOW_API_PORT,
    bodyLimitBytes: data.AUTOFLOW_API_BODY_LIMIT_BYTES,
    releaseLimitBytes: data.AUTOFLOW_RELEASE_LIMIT_BYTES,
    requestsPerMinute: data.AUTOFLOW_API_REQUESTS_PER_MINUTE,
    ...(data.AUTOFLOW_ADMIN_TOKEN !== undefined && { adminToken: data.AUTOFLOW_ADMIN_TOKEN }),
    ...(data.AUTOFLOW_PAYLOAD_KEYS !== undefined && { payloadKeys: data.AUTOFLOW_PAYLOAD_KEYS }),
    logLevel: data.AUTOFLOW_LOG_LEVEL,
  };
}
