/** What the workflow of a training and its learners say to each other. */

/** Workers with the role `learner` take from it, on any host. */
export const LEARNER_QUEUE = 'autoflow-learners';

/** More would reject one another: what is learned from parameters that 32 others have added to since is not taken. */
export const MOST_LEARNERS = 32;
/** Of a training that nobody has given another: what an agent needs, on one core within five minutes. */
export const USUAL_BUDGET = { steps: 500_000, seconds: 300 } as const;
/** Validations without a better one, after which the training of an optimization ends early. */
export const USUAL_PATIENCE = 4;

export interface TrainingInput {
  /** Whoever starts the same training again goes on with it. */
  readonly training: string;
  readonly learners: number;
  /** Decisions of all learners together, and wall time: whatever is used up first ends it. */
  readonly budget: { readonly steps: number; readonly seconds?: number };
  /** How is learned; default: A3C. */
  readonly algorithm?: 'a3c' | 'ppo';
  /** Of the first parameters and of the episodes; default: 1. */
  readonly seed?: number;
  /** Of the agent (`AgentSettings`), where they differ from the usual. */
  readonly settings?: { readonly [name: string]: unknown };
  /** Local updates between two exchanges of parameters; default 12. */
  readonly updates?: number;
  /** Decisions between two validations, by the first learner; default a tenth of the budget. */
  readonly validateEvery?: number;
  /** Ends early after so many validations without a better one; default: never. */
  readonly patience?: number;
  /** No worker with the role takes a learner on for so long: the training fails. Default: two minutes. */
  readonly takenWithinMs?: number;
}

/** What may be asked of the training beside a search. */
export type TrainingOrder = Pick<TrainingInput, 'learners' | 'budget' | 'algorithm' | 'seed' | 'patience'>;

export interface LearnRequest extends TrainingInput {
  readonly learner: number;
}
export type LearnEnd = 'budget' | 'no-progress' | 'ended';

export interface TrainingResult {
  readonly outcome: 'completed' | 'stopped-early' | 'cancelled' | 'failed';
  readonly steps: number;
  readonly version: number;
  /** Of the best version on validation. */
  readonly best?: { readonly version: number; readonly score: number };
}

/** Of workers with the role `learner`. */
export interface LearnerActivities {
  /** Learns until the budget is used up or another has ended the training; a retry goes on from the checkpoint. */
  learn(request: LearnRequest): Promise<LearnEnd>;
}
/** Of workers with the role `control`: a training that no learner takes on ends as well. */
export interface TrainingActivities {
  endTraining(request: { readonly training: string; readonly outcome: TrainingResult['outcome'] }): Promise<TrainingResult>;
}
