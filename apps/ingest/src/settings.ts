import { parsePayloadKeys } from '@autoflow/workflows/codec';
import { z } from 'zod';

const MIB = 1024 * 1024;
const bytes = (least: number, most: number) =>
  z.coerce
    .number('is not a number of bytes')
    .int('is not a whole number of bytes')
    .min(least, `is less than ${least} bytes`)
    .max(most, `is more than ${most} bytes`);

/** Every variable, with what to give when it is missing or wrong. */
const Settings = z.object({
  DATABASE_URL: z
    .string({ error: 'is not set: give the Postgres database, as postgres://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\//, 'is not of the form postgres://user:password@host:port/database'),
  AUTOFLOW_INGEST_HOST: z.string().min(1, 'is empty: give an address of this machine').default('127.0.0.1'),
  AUTOFLOW_INGEST_PORT: z.coerce
    .number('is not a port: give 0 (any free one) to 65535')
    .int('is not a port: give 0 (any free one) to 65535')
    .min(0, 'is not a port: give 0 (any free one) to 65535')
    .max(65_535, 'is not a port: give 0 (any free one) to 65535')
    .default(4100),
  AUTOFLOW_INGEST_BODY_LIMIT_BYTES: bytes(1024, 64 * MIB).default(8 * MIB),
  AUTOFLOW_INGEST_LINE_LIMIT_BYTES: bytes(64, 16 * MIB).default(MIB),
  AUTOFLOW_INGEST_WAITING_LIMIT: z.coerce.number('is not a number of records').int().min(1, 'is less than one record').default(200_000),
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
  /** Of JSON bodies; NDJSON has no bound but that of its lines. */
  readonly bodyLimitBytes: number;
  readonly lineLimitBytes: number;
  /** Records of one pipeline that may wait before more are refused. */
  readonly waitingLimit: number;
  /** Of payloads to and from Temporal. */
  readonly payloadKeys?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** All that is wrong with the environment at once, one line each. No line holds a value: some are secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(`The settings of ingest are not complete:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Where Temporal is comes from TEMPORAL_ADDRESS and its like, or temporal.toml: @temporalio/envconfig reads them. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { success, data, error } = Settings.safeParse(env);
  if (!success) throw new SettingsError(error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
  return {
    databaseUrl: data.DATABASE_URL,
    host: data.AUTOFLOW_INGEST_HOST,
    port: data.AUTOFLOW_INGEST_PORT,
    bodyLimitBytes: data.AUTOFLOW_INGEST_BODY_LIMIT_BYTES,
    lineLimitBytes: data.AUTOFLOW_INGEST_LINE_LIMIT_BYTES,
    waitingLimit: data.AUTOFLOW_INGEST_WAITING_LIMIT,
    ...(data.AUTOFLOW_PAYLOAD_KEYS !== undefined && { payloadKeys: data.AUTOFLOW_PAYLOAD_KEYS }),
    logLevel: data.AUTOFLOW_LOG_LEVEL,
  };
}
