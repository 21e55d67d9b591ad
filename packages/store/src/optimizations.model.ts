import type { OptimizationDecision, OptimizationRequest, OptimizationStep } from '@autoflow/topology';
import type { Actor } from './definitions.model.js';

export interface OptimizationRow {
  readonly id: string;
  readonly pipeline: string;
  readonly actor: string;
  readonly request: OptimizationRequest;
  readonly state: 'running' | 'completed' | 'cancelled' | 'failed';
  readonly decisions: readonly OptimizationDecision[];
  readonly progress?: OptimizationProgress;
  /** The stable one when it began. */
  readonly version?: string;
  readonly registered?: string;
  readonly rollout?: string;
  readonly reason?: string;
  readonly createdAt: Date;
  readonly endedAt?: Date;
}
export interface OptimizationProgress {
  readonly step: OptimizationStep;
  /** What it is about, and how many of how many are done. */
  readonly about?: string;
  readonly done?: number;
  readonly of?: number;
  /** By all attempts of the step: US dollars, at list prices, and seconds of the processes that it asked. */
  readonly spent?: { readonly usd: number; readonly seconds: number };
}

/** Optimizations and what their steps have found out. Ended ones are only read. */
export interface OptimizationStore {
  /** Throws `OptimizationRunningError` while another one of the pipeline runs, `NotFoundError` without the pipeline. The same id again answers its row. */
  create(row: Pick<OptimizationRow, 'id' | 'pipeline' | 'request'>, by: Actor): Promise<OptimizationRow>;
  /**
   * As `create`; but one whose workflow is gone does not keep the pipeline from its next optimization: it ends as `failed`. One that was made
   * a moment ago, by the clock of the database, is about to be started and stays. `isRunning` tells whether there is a workflow that runs it.
   */
  replaceLost(
    row: Pick<OptimizationRow, 'id' | 'pipeline' | 'request'>,
    isRunning: (id: string) => Promise<boolean>,
    by: Actor,
  ): Promise<OptimizationRow>;
  get(id: string): Promise<OptimizationRow | undefined>;
  /** Newest first, behind the one that `after` names. */
  page(pipeline: string, page: { readonly limit: number; readonly after?: string }): Promise<OptimizationRow[]>;
  setProgress(id: string, progress: OptimizationProgress): Promise<void>;
  /** Of a step under way: what whoever does it again takes over. The first of a name stays, until the step is finished. */
  keepPart(id: string, step: OptimizationStep, name: string, part: object): Promise<void>;
  parts(id: string, step: OptimizationStep): Promise<unknown[]>;
  /** What a step found out, and what it came to, in one; a step that is done already stays as it is. */
  finishStep(
    id: string,
    step: {
      readonly decision: OptimizationDecision;
      readonly document?: object;
      readonly set?: Partial<Pick<OptimizationRow, 'version' | 'registered' | 'rollout'>>;
    },
  ): Promise<void>;
  document(id: string, step: OptimizationStep): Promise<unknown>;
  /** Once: an end stays what it is. */
  close(
    id: string,
    end: { readonly state: 'completed' | 'cancelled' | 'failed'; readonly reason: string },
    by: Actor,
  ): Promise<OptimizationRow>;
  /** Of optimizations that ended before. */
  removeDocuments(before: Date): Promise<void>;
}
