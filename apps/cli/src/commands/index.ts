import type { Command } from 'commander';
import { registerAllocation } from './allocation.js';
import { registerArms } from './arms.js';
import { registerAudit } from './audit.js';
import { registerAutonomy } from './autonomy.js';
import { registerBackfill } from './backfill.js';
import { registerBackfills } from './backfills.js';
import { registerCalibrate } from './calibrate.js';
import { registerCheck } from './check.js';
import { registerControl } from './control.js';
import { registerDeadLetters } from './dead-letters.js';
import { registerDemo } from './demo.js';
import { registerDeploy } from './deploy.js';
import { registerDev } from './dev.js';
import { registerDoctor } from './doctor.js';
import { registerDown } from './down.js';
import { registerEvents } from './events.js';
import { registerFeeding } from './feeding.js';
import { registerHosts } from './hosts.js';
import { registerInit } from './init.js';
import { registerLoad } from './load.js';
import { registerMetrics } from './metrics.js';
import { registerOptimizations } from './optimizations.js';
import { registerOptimize } from './optimize.js';
import { registerPipelines } from './pipelines.js';
import { registerRecords } from './records.js';
import { registerRollback } from './rollback.js';
import { registerRollout } from './rollout.js';
import { registerSavings } from './savings.js';
import { registerStatus } from './status.js';
import { registerSubmit } from './submit.js';
import { registerTest } from './test.js';
import { registerTokens } from './tokens.js';
import { registerUp } from './up.js';
import { registerVersions } from './versions.js';
import { registerWebhooks } from './webhooks.js';
import { registerWhatIf } from './what-if.js';
import { registerWhy } from './why.js';
import { registerWorker } from './worker.js';

/** In the order in which `--help` lists them. */
export const COMMANDS: readonly ((program: Command) => void)[] = [
  registerDemo,
  registerUp,
  registerDown,
  registerStatus,
  registerInit,
  registerDev,
  registerTest,
  registerCheck,
  registerDeploy,
  registerWorker,
  registerPipelines,
  registerSubmit,
  registerRecords,
  registerWhy,
  registerBackfill,
  registerBackfills,
  registerLoad,
  registerVersions,
  registerRollout,
  registerRollback,
  registerAllocation,
  registerControl,
  registerHosts,
  registerArms,
  registerFeeding,
  registerAutonomy,
  registerMetrics,
  registerCalibrate,
  registerWhatIf,
  registerOptimize,
  registerSavings,
  registerOptimizations,
  registerDeadLetters,
  registerEvents,
  registerWebhooks,
  registerTokens,
  registerAudit,
  registerDoctor,
];
