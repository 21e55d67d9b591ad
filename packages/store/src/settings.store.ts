import { DEFAULT_SETTINGS, type OperationSettings } from '@autoflow/topology/autonomy';
import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, StaleRevisionError } from './errors.js';
import { notify } from './notify.js';
import { one } from './rows.js';
import type { SettingsRow, SettingsStore } from './settings.model.js';

/** Compare-and-set with an audit row, as with everything that decides what traffic does. */
export function settingsStore(database: Database): SettingsStore {
  return {
    get: (pipeline) => find(database, pipeline),
    change: (request) => database.transaction((sql) => change(sql, request)),
  };
}

async function change(sql: Sql, { pipeline, change, revision, by }: Parameters<SettingsStore['change']>[0]): Promise<SettingsRow> {
  // The pipeline's row, because the settings' own may not exist yet.
  await sql.query('select from autoflow.pipelines where name = $1 for no key update', [pipeline]);
  const before = await find(sql, pipeline);
  if (before === undefined) throw new NotFoundError('pipeline', pipeline);
  if (revision !== undefined && revision !== before.revision)
    throw new StaleRevisionError(`the settings of ${pipeline}`, revision, before.revision);
  const after = changed(settingsOf(before), change);
  await mustExist(sql, pipeline, after.pinned);
  await sql.query(
    `insert into autoflow.pipeline_settings (pipeline, revision, settings, actor, reason) values ($1, $2, $3, $4, $5)
     on conflict (pipeline) do update set revision = excluded.revision, settings = excluded.settings, actor = excluded.actor,
       reason = excluded.reason, updated_at = now()`,
    [pipeline, before.revision + 1, JSON.stringify(after), by.actor, by.reason],
  );
  await audit(sql, by, {
    action: 'settings.change',
    pipeline,
    before: { revision: before.revision, ...settingsOf(before) },
    after: { revision: before.revision + 1, ...after },
  });
  await notify(sql, ['autoflow_settings'], pipeline);
  return (await find(sql, pipeline))!;
}

async function mustExist(sql: Sql, pipeline: string, version: string | undefined): Promise<void> {
  if (version === undefined) return;
  const found = await sql.query('select from autoflow.versions where pipeline = $1 and name = $2', [pipeline, version]);
  if (found.length === 0) throw new NotFoundError('version', version);
}

function changed(before: OperationSettings, change: Parameters<SettingsStore['change']>[0]['change']): OperationSettings {
  const all = { ...before, ...change };
  return {
    ...DEFAULT_SETTINGS,
    ...(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Partial<OperationSettings>),
  };
}

function settingsOf({
  pipeline: _,
  revision: _revision,
  actor: _actor,
  reason: _reason,
  updatedAt: _at,
  ...settings
}: SettingsRow): OperationSettings {
  return settings;
}

async function find(sql: Sql, pipeline: string): Promise<SettingsRow | undefined> {
  const row = await one<{ revision: number; settings?: OperationSettings; actor?: string; reason?: string; updatedAt?: Date }>(
    sql,
    `select coalesce(s.revision, 0) as revision, s.settings, s.actor, s.reason, s.updated_at as "updatedAt"
       from autoflow.pipelines p left join autoflow.pipeline_settings s on s.pipeline = p.name where p.name = $1`,
    [pipeline],
  );
  if (row === undefined) return undefined;
  const { settings, ...about } = row;
  return { pipeline, ...DEFAULT_SETTINGS, ...settings, ...about };
}
