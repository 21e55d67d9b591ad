/**
 * Workflow types are looked up as properties of the bundle's exports, so a name of `Object.prototype` (`constructor`, `toString`)
 * would run a function that is no workflow. This interceptor refuses such a type before anything runs.
 */
import { ApplicationFailure, workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';

export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        // Async: what is thrown outside of the promise would fail the workflow task, for ever.
        execute: async (input, next) => {
          const { workflowType } = workflowInfo();
          if (workflowType in Object.prototype || workflowType === 'default')
            throw ApplicationFailure.nonRetryable(
              `there is no pipeline '${workflowType}'; pipelines are named [a-z][a-z0-9-]*`,
              'UNKNOWN_PIPELINE',
            );
          return next(input);
        },
      },
    ],
  };
}
