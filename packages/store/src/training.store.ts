import { createHash } from 'node:crypto';
import type { Database, Sql } from './database.js';
import { NotFoundError } from './errors.js';
import { many, one } from './rows.js';
import type { PulledParameters, PushAnswer, PushedDelta, TrainingPoint, TrainingRow, TrainingStore } from './training.model.js';

/** Versions since a learner's base: so many take half of its change's weight twice over (1/(1 + lag/8)), and beyond the most it is refused. */
const HALVED_AT = 8;
const MOST_LAG = 32;
/** Versions that are kept behind the newest; the best one is kept besides. */
const KEPT = 64;

const TRAINING = `select t.id, t.settings, t.created_at as "createdAt", t.ended_at as "endedAt", t.outcome,
    extract(epoch from coalesce(t.ended_at, now()) - t.created_at)::float8 as seconds, p.version, p.steps::float8 as steps
  from autoflow.trainings t
  join lateral (select version, steps from autoflow.training_parameters where training = t.id order by version desc limit 1) p on true`;

export function trainingStore(database: Database): TrainingStore {
  return {
    create: ({ id, settings, weights }) =>
      database.transaction(async (sql) => {
        await sql.query('insert into autoflow.trainings (id, settings) values ($1, $2) on conflict do nothing', [
          id,
          JSON.stringify(settings),
        ]);
        await insert(sql, id, { version: 0, steps: 0, weights });
      }),
    get: (id) => one<TrainingRow>(database, `${TRAINING} where t.id = $1`, [id]),
    page: ({ limit, after }) =>
      many<TrainingRow>(
        database,
        `${TRAINING} where $1::text is null or (t.created_at, t.id) < (select created_at, id from autoflow.trainings where id = $1)
          order by t.created_at desc, t.id desc limit $2`,
        [after, limit],
      ),
    pull: async (id) => (await newest(database, id)).whole,
    push: (delta) => push(database, delta),
    async checkpoint(training, learner, state) {
      await database.query(
        `insert into autoflow.training_learners (training, learner, state, sha256) values ($1, $2, $3, $4)
         on conflict (training, learner) do update set state = excluded.state, sha256 = excluded.sha256, updated_at = now()`,
        [training, learner, state, digest(state)],
      );
    },
    async resume(training, learner) {
      const row = await one<{ state: Buffer; sha256: Buffer }>(
        database,
        'select state, sha256 from autoflow.training_learners where training = $1 and learner = $2',
        [training, learner],
      );
      return row !== undefined && digest(row.state).equals(row.sha256) ? row.state : undefined;
    },
    async addPoint(training, { steps, seconds, version, score, cost, late }, weights) {
      await database.query(
        `insert into autoflow.training_points (training, steps, seconds, version, score, cost, late) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing`,
        [training, steps, seconds, version, score, cost, late],
      );
      // Only then: nobody forgets the best version from here on.
      await insert(database, training, { version, steps, weights });
    },
    async curve(training) {
      return await database.query<TrainingPoint & object>(
        `select steps::float8 as steps, seconds, version, score, cost, late from autoflow.training_points where training = $1 order by steps`,
        [training],
      );
    },
    async best(training) {
      const rows = await database.query<ParameterRow & { score: number }>(
        `select p.version, p.steps::float8 as steps, p.weights, p.sha256, t.score
           from autoflow.training_points t join autoflow.training_parameters p on p.training = t.training and p.version = t.version
          where t.training = $1 order by t.score, t.steps limit 4`,
        [training],
      );
      const whole = rows.find(isWhole);
      return whole && { ...pulled(whole), score: whole.score };
    },
    async end(training, outcome) {
      await database.query(
        'update autoflow.trainings set ended_at = coalesce(ended_at, now()), outcome = coalesce(outcome, $2) where id = $1',
        [training, outcome],
      );
    },
  };
}

async function push(database: Database, { training, learner, base, delta, steps }: PushedDelta): Promise<PushAnswer> {
  for (;;) {
    // Both of one reading: weights of a version before the latest would drop what was added between.
    const { latest, whole } = await newest(database, training);
    const lag = latest.version - base;
    if (delta.length !== whole.weights.length) return { applied: false, reason: 'other-network', lag };
    if (!delta.every(Number.isFinite)) return { applied: false, reason: 'not-finite', lag };
    // A base that was never there is no less strange than one long gone.
    if (lag > MOST_LAG || lag < 0) return { applied: false, reason: 'stale', lag };
    const scale = 1 / (1 + lag / HALVED_AT);
    const weights = whole.weights.map((weight, i) => weight + scale * delta[i]!);
    const next = { version: latest.version + 1, steps: latest.steps + steps, weights, learner, base };
    if (await insert(database, training, next)) {
      await forget(database, training, next.version);
      return { applied: true, version: next.version, lag, steps: next.steps };
    }
  }
}

interface ParameterRow {
  readonly version: number;
  readonly steps: number;
  readonly weights: Buffer;
  readonly sha256: Buffer;
}

/** The latest version, whole or not, and the newest that is whole. */
async function newest(
  sql: Sql,
  training: string,
): Promise<{ readonly latest: Pick<ParameterRow, 'version' | 'steps'>; readonly whole: PulledParameters }> {
  const rows = await sql.query<ParameterRow>(
    `select version, steps::float8 as steps, weights, sha256 from autoflow.training_parameters
      where training = $1 order by version desc limit 4`,
    [training],
  );
  const whole = rows.find(isWhole);
  if (whole === undefined) throw new NotFoundError('training', training);
  return { latest: rows[0]!, whole: pulled(whole) };
}

/** The version is part of what is summed: a row that was put back under another number is not whole either. */
const isWhole = ({ version, weights, sha256 }: ParameterRow): boolean => digest(weights, version).equals(sha256);
const pulled = ({ version, steps, weights }: ParameterRow): PulledParameters => ({ version, steps, weights: floatsOf(weights) });

/** False: that version is there already. */
async function insert(
  sql: Sql,
  training: string,
  { version, steps, weights, learner, base }: PulledParameters & { readonly learner?: number; readonly base?: number },
): Promise<boolean> {
  const bytes = bytesOf(weights);
  const inserted = await sql.query(
    `insert into autoflow.training_parameters (training, version, steps, weights, sha256, learner, base) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict do nothing returning version`,
    [training, version, steps, bytes, digest(bytes, version), learner ?? null, base ?? null],
  );
  return inserted.length > 0;
}

async function forget(sql: Sql, training: string, version: number): Promise<void> {
  await sql.query(
    `delete from autoflow.training_parameters p where training = $1 and version < $2
       and version <> coalesce((select t.version from autoflow.training_points t where t.training = $1 order by t.score, t.steps limit 1), -1)`,
    [training, version - KEPT],
  );
}

function bytesOf(weights: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * weights.length);
  weights.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes;
}

function floatsOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function digest(bytes: Buffer, version = 0): Buffer {
  return createHash('sha256').update(`${version}:`).update(bytes).digest();
}
