import { bytesSetting, parseSettings, portSetting, type ServiceSettings, serviceSettings } from '@autoflow/http';
import { z } from 'zod';

const MIB = 1024 * 1024;

const SETTINGS = {
  AUTOFLOW_API_HOST: z.string().min(1, 'is empty: give an address of this machine').default('127.0.0.1'),
  AUTOFLOW_API_PORT: portSetting(4000),
  AUTOFLOW_API_BODY_LIMIT_BYTES: bytesSetting(1024, 64 * MIB, MIB),
  AUTOFLOW_RELEASE_LIMIT_BYTES: bytesSetting(1024, 256 * MIB, 32 * MIB),
  AUTOFLOW_API_REQUESTS_PER_MINUTE: z.coerce.number('is not a number').int().min(1).default(1_200),
  AUTOFLOW_ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{24,500}$/, 'is not a token: give 24 to 500 random visible ASCII characters, such as of `openssl rand -hex 24`')
    .optional(),
};

export interface Settings extends ServiceSettings {
  readonly host: string;
  readonly port: number;
  readonly bodyLimitBytes: number;
  readonly releaseLimitBytes: number;
  readonly requestsPerMinute: number;
  /** Is an admin's once the control plane has started. */
  readonly adminToken?: string;
}

/** Throws a `SettingsError` with all that is wrong. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const data = parseSettings('the control plane', SETTINGS, env);
  return {
    ...serviceSettings(data),
    host: data.AUTOFLOW_API_HOST,
    port: data.AUTOFLOW_API_PORT,
    bodyLimitBytes: data.AUTOFLOW_API_BODY_LIMIT_BYTES,
    releaseLimitBytes: data.AUTOFLOW_RELEASE_LIMIT_BYTES,
    requestsPerMinute: data.AUTOFLOW_API_REQUESTS_PER_MINUTE,
    ...(data.AUTOFLOW_ADMIN_TOKEN !== undefined && { adminToken: data.AUTOFLOW_ADMIN_TOKEN }),
  };
}
