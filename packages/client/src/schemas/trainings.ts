import { MOST_LEARNERS } from '@autoflow/topology/training';
import { z } from 'zod';
import { Limit, pageOf, Timestamp } from './common.js';

/** Learners that train the resource agent beside a search; needs workers with the role `learner`. */
export const TrainingOrder = z
  .strictObject({
    learners: z.int().min(1).max(MOST_LEARNERS),
    /** Decisions of all learners together, and wall time: whatever is used up first ends it. */
    budget: z.strictObject({ steps: z.int().min(1).max(1e9), seconds: z.number().positive().max(86_400).exactOptional() }),
    /** Default: a3c, asynchronous advantage actor-critic; ppo: its clipped variant. */
    algorithm: z.enum(['a3c', 'ppo']).exactOptional(),
    /** Of the first parameters and of what is learned from. Default: 1. */
    seed: z.int().min(0).max(1e9).exactOptional(),
    /** It ends early after so many validations without a better one; there are ten in a budget of steps. Default: 4. */
    patience: z.int().min(1).max(1_000).exactOptional(),
  })
  .meta({ id: 'TrainingOrder' });

/** How it is learned; a training that began before its data were written lacks them. */
const TrainingSettings = z.looseObject({
  /** Default: a3c. */
  algorithm: z.string().exactOptional(),
  /** Whose load is learned from: of so many functions that were made up (by a seed), or were given (told apart by a digest of their counts). */
  data: z
    .object({
      source: z.enum(['made-up', 'given']),
      functions: z.int(),
      seed: z.int().exactOptional(),
      sha256: z.string().exactOptional(),
    })
    .exactOptional(),
});

/** A training of the resource agent: learners side by side, who share its parameters. */
export const Training = z
  .object({
    /** That of an optimization is called after it: `optimization-` and its id. */
    id: z.string(),
    settings: TrainingSettings,
    /** Of its parameters: how often a learner has added to them. */
    version: z.int(),
    /** Decisions of all learners behind that version. */
    steps: z.int(),
    /** Absent while it runs. */
    outcome: z.enum(['completed', 'stopped-early', 'cancelled', 'failed']).exactOptional(),
    createdAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
    /** Since it began, until its end. */
    seconds: z.number(),
  })
  .meta({ id: 'Training' });
export type Training = z.infer<typeof Training>;
export const TrainingList = pageOf(Training).meta({ id: 'TrainingList' });
export const TrainingsQuery = z.strictObject({ limit: Limit, cursor: z.string().max(200).exactOptional() });

/** One validation: what the agent of that version does with load that nothing was learned from. */
const TrainingPoint = z.object({
  steps: z.int(),
  /** Since the training began. */
  seconds: z.number(),
  version: z.int(),
  /** What late records count for, added to the cost: less is better. */
  score: z.number(),
  /** Provisioned memory-seconds, as a multiple of what the mean load keeps busy. */
  cost: z.number(),
  /** Share of the records past the service level. */
  late: z.number(),
});

export const TrainingDetail = Training.extend({
  /** The reward curve, in the order of its steps. */
  curve: z.array(TrainingPoint),
  /** What the training gives: the version with the least score, as far as its parameters are whole. */
  best: z.object({ version: z.int(), score: z.number() }).exactOptional(),
}).meta({ id: 'TrainingDetail' });
export type TrainingDetail = z.infer<typeof TrainingDetail>;

/** The parameters that a training gives: those of its best version. */
export const TrainedParameters = z
  .object({
    training: z.string(),
    version: z.int(),
    steps: z.int(),
    score: z.number(),
    settings: TrainingSettings,
    /** 32-bit floats, lowest byte first, as base64. */
    weights: z.base64(),
  })
  .meta({ id: 'TrainedParameters' });
export type TrainedParameters = z.infer<typeof TrainedParameters>;
