/** Sandbox module of the replaying test: tells which activities the workflow schedules, with their queue and arguments. */
import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';

export interface Scheduled {
  readonly activityId: string;
  readonly type: string;
  /** Empty: the workflow's own. */
  readonly queue: string;
  readonly args: readonly unknown[];
}
export interface ObserverSinks extends Sinks {
  observer: { scheduled(activity: Scheduled): void };
}

const { observer } = proxySinks<ObserverSinks>();

export function interceptors(): WorkflowInterceptors {
  return {
    outbound: [
      {
        scheduleActivity(input, next) {
          observer.scheduled({
            activityId: String(input.seq),
            type: input.activityType,
            queue: input.options.taskQueue ?? '',
            args: input.args,
          });
          return next(input);
        },
      },
    ],
  };
}
