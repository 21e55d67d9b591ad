import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { NotFoundError, OptimizationRunningError } from './errors.js';
import type { Actor } from './definitions.model.js';
import type { OptimizationRow, OptimizationStore } from './optimizations.model.js';
import { many, one } from './rows.js';

const OPTIMIZATION = `select id, pipeline, actor, request, state, decisions, progress, version, registered, rollout, reason,
  created_at as "createdAt", ended_at as "endedAt" from autoflow.optimizations`;

/** Longer than who made a row waits for Temporal to start its workflow. */
const FRESH = '10 s';

export function optimizationStore(database: Database): OptimizationStore {
  return {
    create: (row, by) => database.transaction((sql) => create(sql, row, by)),
    replaceLost: (row, isRunning, by) => replaceLost(database, row, isRunning, by),
    get: (id) => find(database, id),
    page: (pipeline, { limit, after }) =>
      many<OptimizationRow>(
        database,
        `${OPTIMIZATION} where pipeline = $1
           and ($2::text is null or (created_at, id) < (select created_at, id from autoflow.optimizations where pipeline = $1 and id = $2))
          order by created_at desc, id desc limit $3`,
        [pipeline, after, limit],
      ),
    async setProgress(id, progress) {
      await database.query(`update autoflow.optimizations set progress = $2 where id = $1 and state = 'running'`, [
        id,
        JSON.stringify(progress),
      ]);
    },
    keepPart: (id, step, name, part) => keepDocument(database, id, `${step}/${name}`, part),
    parts: async (id, step) =>
      (
        await database.query<{ document: object }>(
          `select document from autoflow.optimization_documents where optimization = $1 and step like $2 || '/%' order by step`,
          [id, step],
        )
      ).map(({ document }) => document),
    finishStep: (id, step) => database.transaction((sql) => finishStep(sql, id, step)),
    document: async (id, step) =>
      (
        await one<{ document: object }>(
          database,
          'select document from autoflow.optimization_documents where optimization = $1 and step = $2',
          [id, step],
        )
      )?.document,
    removeDocuments: async (before) => {
      await database.patient.query(
        'delete from autoflow.optimization_documents d using autoflow.optimizations o where o.id = d.optimization and o.ended_at < $1',
        [before],
      );
    },
    close: (id, end, by) => database.transaction((sql) => close(sql, id, end, by)),
  };
}

async function create(
  sql: Sql,
  { id, pipeline, request }: Parameters<OptimizationStore['create']>[0],
  by: Actor,
): Promise<OptimizationRow> {
  // The pipeline's row: of two at once, the second sees the first.
  const [locked] = await sql.query('select name from autoflow.pipelines where name = $1 for no key update', [pipeline]);
  if (locked === undefined) throw new NotFoundError('pipeline', pipeline);
  const there = await find(sql, id);
  if (there !== undefined) return there;
  const running = await one<{ id: string }>(sql, `select id from autoflow.optimizations where pipeline = $1 and state = 'running'`, [
    pipeline,
  ]);
  if (running !== undefined) throw new OptimizationRunningError(pipeline, running.id);
  await sql.query('insert into autoflow.optimizations (id, pipeline, actor, request) values ($1, $2, $3, $4)', [
    id,
    pipeline,
    by.actor,
    JSON.stringify(request),
  ]);
  await audit(sql, by, { action: 'optimization.create', pipeline, after: { id, request } });
  return (await find(sql, id))!;
}

async function replaceLost(
  database: Database,
  row: Parameters<OptimizationStore['create']>[0],
  isRunning: (id: string) => Promise<boolean>,
  by: Actor,
): Promise<OptimizationRow> {
  try {
    return await database.transaction((sql) => create(sql, row, by));
  } catch (error) {
    // Its age first: its workflow may have been started since.
    if (!(error instanceof OptimizationRunningError) || (await isFresh(database, error.running)) || (await isRunning(error.running)))
      throw error;
    return database.transaction(async (sql) => {
      await close(sql, error.running, { state: 'failed', reason: 'Its workflow was ended from outside.' }, by);
      return create(sql, row, by);
    });
  }
}

/** Of two hosts, each has a clock of its own: the one that dated the row tells. */
async function isFresh(sql: Sql, id: string): Promise<boolean> {
  const fresh = 'select from autoflow.optimizations where id = $1 and created_at > clock_timestamp() - $2::interval';
  return (await sql.query(fresh, [id, FRESH])).length > 0;
}

async function finishStep(
  sql: Sql,
  id: string,
  { decision, document, set = {} }: Parameters<OptimizationStore['finishStep']>[1],
): Promise<void> {
  await sql.query('select from autoflow.optimizations where id = $1 for update', [id]);
  const row = await find(sql, id);
  if (row === undefined) throw new NotFoundError('optimization', id);
  if (row.decisions.some(({ step }) => step === decision.step)) return;
  await sql.query(
    `update autoflow.optimizations set decisions = $2, version = coalesce($3, version), registered = coalesce($4, registered),
       rollout = coalesce($5, rollout) where id = $1`,
    [id, JSON.stringify([...row.decisions, decision]), set.version, set.registered, set.rollout],
  );
  await sql.query(`delete from autoflow.optimization_documents where optimization = $1 and step like $2 || '/%'`, [id, decision.step]);
  if (document !== undefined) await keepDocument(sql, id, decision.step, document);
}

async function keepDocument(sql: Sql, id: string, name: string, document: object): Promise<void> {
  await sql.query('insert into autoflow.optimization_documents (optimization, step, document) values ($1, $2, $3) on conflict do nothing', [
    id,
    name,
    JSON.stringify(document),
  ]);
}

async function close(
  sql: Sql,
  id: string,
  { state, reason }: Parameters<OptimizationStore['close']>[1],
  by: Actor,
): Promise<OptimizationRow> {
  await sql.query('select from autoflow.optimizations where id = $1 for update', [id]);
  const before = await find(sql, id);
  if (before === undefined) throw new NotFoundError('optimization', id);
  if (before.state !== 'running') return before;
  await sql.query('update autoflow.optimizations set state = $2, reason = $3, progress = null, ended_at = now() where id = $1', [
    id,
    state,
    reason,
  ]);
  const { pipeline, registered, rollout } = before;
  await audit(sql, by, {
    action: 'optimization.end',
    pipeline,
    after: { id, state, ...(registered !== undefined && { registered }), ...(rollout !== undefined && { rollout }) },
  });
  return (await find(sql, id))!;
}

const find = (sql: Sql, id: string) => one<OptimizationRow>(sql, `${OPTIMIZATION} where id = $1`, [id]);
