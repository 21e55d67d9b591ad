import type { Command } from 'commander';
import { withContext } from '../context.js';
import type { WorkerChoice } from '../local/worker.js';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'run a worker until Ctrl-C; what is not set by options, environment or autoflow.config.ts is that of the running local stack',
    )
    .option('--role <roles>', 'all, or some of workflows,control,functions,feeder,learner (default: all but learner)')
    .option('--pipelines <names>', 'run the functions of these pipelines only, such as a,b')
    .action(withContext<WorkerChoice>(async (context, choice) => (await import('../local/worker.js')).worker(context, choice)));
}
