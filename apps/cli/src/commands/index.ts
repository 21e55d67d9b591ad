import type { Command } from 'commander';

type Register = (program: Command) => void;

/** By verb, in the order in which `--help` lists them. Each is loaded when it is typed: all of them take longer than most do their work. */
const COMMANDS: { readonly [verb: string]: () => Promise<Register> } = {
  demo: async () => (await import('./demo.js')).registerDemo,
  up: async () => (await import('./up.js')).registerUp,
  down: async () => (await import('./down.js')).registerDown,
  status: async () => (await import('./status.js')).registerStatus,
  init: async () => (await import('./init.js')).registerInit,
  dev: async () => (await import('./dev.js')).registerDev,
  test: async () => (await import('./test.js')).registerTest,
  check: async () => (await import('./check.js')).registerCheck,
  deploy: async () => (await import('./deploy.js')).registerDeploy,
  worker: async () => (await import('./worker.js')).registerWorker,
  pipelines: async () => (await import('./pipelines.js')).registerPipelines,
  submit: async () => (await import('./submit.js')).registerSubmit,
  records: async () => (await import('./records.js')).registerRecords,
  why: async () => (await import('./why.js')).registerWhy,
  backfill: async () => (await import('./backfill.js')).registerBackfill,
  backfills: async () => (await import('./backfills.js')).registerBackfills,
  load: async () => (await import('./load.js')).registerLoad,
  versions: async () => (await import('./versions.js')).registerVersions,
  rollout: async () => (await import('./rollout.js')).registerRollout,
  rollback: async () => (await import('./rollback.js')).registerRollback,
  allocation: async () => (await import('./allocation.js')).registerAllocation,
  control: async () => (await import('./control.js')).registerControl,
  hosts: async () => (await import('./hosts.js')).registerHosts,
  arms: async () => (await import('./arms.js')).registerArms,
  feeding: async () => (await import('./feeding.js')).registerFeeding,
  autonomy: async () => (await import('./autonomy.js')).registerAutonomy,
  metrics: async () => (await import('./metrics.js')).registerMetrics,
  calibrate: async () => (await import('./calibrate.js')).registerCalibrate,
  'what-if': async () => (await import('./what-if.js')).registerWhatIf,
  optimize: async () => (await import('./optimize.js')).registerOptimize,
  savings: async () => (await import('./savings.js')).registerSavings,
  optimizations: async () => (await import('./optimizations.js')).registerOptimizations,
  scorer: async () => (await import('./scorer.js')).registerScorer,
  trainings: async () => (await import('./trainings.js')).registerTrainings,
  'dead-letters': async () => (await import('./dead-letters.js')).registerDeadLetters,
  events: async () => (await import('./events.js')).registerEvents,
  webhooks: async () => (await import('./webhooks.js')).registerWebhooks,
  tokens: async () => (await import('./tokens.js')).registerTokens,
  audit: async () => (await import('./audit.js')).registerAudit,
  doctor: async () => (await import('./doctor.js')).registerDoctor,
};

/** What registers the verbs that a command line names; all, where it names none or asks for help. */
export async function commandsFor(args: readonly string[]): Promise<readonly Register[]> {
  const named = Object.keys(COMMANDS).filter((verb) => args.includes(verb));
  const isHelp = args.some((argument) => ['help', '--help', '-h'].includes(argument));
  const verbs = named.length === 0 || isHelp ? Object.keys(COMMANDS) : named;
  return Promise.all(verbs.map((verb) => COMMANDS[verb]!()));
}
