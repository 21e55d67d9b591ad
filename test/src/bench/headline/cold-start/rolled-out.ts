import type { Rollout } from '@autoflow/client';
import { ended, PIPELINE, type Cold } from './cold.js';

const HARM_WITHIN_MS = 60_000;

/** Undefined: AutoFlow would not begin one; the optimization says why. */
export async function rolledOut({ api, conditions }: Cold, version: string, own: string | undefined): Promise<Rollout | undefined> {
  const { rollout: settings, rolloutWithinSeconds } = conditions.coldStart;
  const id =
    own ?? (settings === undefined ? undefined : (await api.rollouts.start(PIPELINE, { version, ...settings, reason: 'headline' })).id);
  if (id === undefined) return undefined;
  const deadline = Date.now() + rolloutWithinSeconds * 1000;
  const last = await ended(
    () => api.rollouts.show(PIPELINE, id),
    (rollout) => rollout.endedAt !== undefined || Date.now() > deadline,
  );
  if (last.endedAt === undefined) await api.rollouts.abort(PIPELINE, id, 'not decided in the time of the benchmark');
  // What a canary did is measured once it has ended.
  return last.steps.length === 0
    ? last
    : ended(
        () => api.rollouts.show(PIPELINE, id),
        ({ harm }) => harm !== undefined || Date.now() > deadline + HARM_WITHIN_MS,
      );
}
