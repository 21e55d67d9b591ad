import { bytesSetting, parseSettings, portSetting, type ServiceSettings, serviceSettings } from '@autoflow/http';
import { z } from 'zod';

const MIB = 1024 * 1024;

const SETTINGS = {
  AUTOFLOW_INGEST_HOST: z.string().min(1, 'is empty: give an address of this machine').default('127.0.0.1'),
  AUTOFLOW_INGEST_PORT: portSetting(4100),
  AUTOFLOW_INGEST_BODY_LIMIT_BYTES: bytesSetting(1024, 64 * MIB, 8 * MIB),
  AUTOFLOW_INGEST_LINE_LIMIT_BYTES: bytesSetting(64, 16 * MIB, MIB),
  AUTOFLOW_INGEST_WAITING_LIMIT: z.coerce.number('is not a number of records').int().min(1, 'is less than one record').default(200_000),
};

export interface Settings extends ServiceSettings {
  readonly host: string;
  readonly port: number;
  /** Of JSON bodies; NDJSON has no bound but that of its lines. */
  readonly bodyLimitBytes: number;
  readonly lineLimitBytes: number;
  /** Records of one pipeline that may wait before more are refused. */
  readonly waitingLimit: number;
}

/** Throws a `SettingsError` with all that is wrong. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const data = parseSettings('ingest', SETTINGS, env);
  return {
    ...serviceSettings(data),
    host: data.AUTOFLOW_INGEST_HOST,
    port: data.AUTOFLOW_INGEST_PORT,
    bodyLimitBytes: data.AUTOFLOW_INGEST_BODY_LIMIT_BYTES,
    lineLimitBytes: data.AUTOFLOW_INGEST_LINE_LIMIT_BYTES,
    waitingLimit: data.AUTOFLOW_INGEST_WAITING_LIMIT,
  };
}
