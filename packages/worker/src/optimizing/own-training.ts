import type { Store } from '@autoflow/store';
import { MOST_LEARNERS, USUAL_BUDGET, type OpenedOptimization } from '@autoflow/topology';

export const NOBODY_LEARNS = 'no live worker had the role learner when it began; start one with: autoflow worker --role learner';

/** What an optimization trains that nobody has asked for: as the settings of its pipeline say. */
export async function ownTraining(
  { settings, fleet }: Pick<Store, 'settings' | 'fleet'>,
  pipeline: string,
): Promise<Pick<OpenedOptimization, 'training' | 'untrained'>> {
  const asked = (await settings.get(pipeline))?.optimizeTraining ?? 'auto';
  if (asked === 'off') return {};
  if (asked !== 'auto') return { training: asked };
  const learners = (await fleet.hosts()).filter(({ roles }) => roles.includes('learner')).length;
  return learners === 0
    ? { untrained: NOBODY_LEARNS }
    : { training: { learners: Math.min(learners, MOST_LEARNERS), budget: USUAL_BUDGET } };
}
