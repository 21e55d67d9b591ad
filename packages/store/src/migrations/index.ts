import type { Migration } from '../migrator.js';
import { definitions } from './0001-definitions.js';
import { ledger } from './0002-ledger.js';
import { metering } from './0003-metering.js';
import { batchBlobs } from './0004-batch-blobs.js';
import { inbox } from './0005-inbox.js';
import { fleet } from './0006-fleet.js';
import { bundles } from './0007-bundles.js';
import { operations } from './0008-operations.js';
import { events } from './0009-events.js';
import { traces } from './0010-traces.js';
import { training } from './0011-training.js';
import { recordings } from './0012-recordings.js';
import { rollouts } from './0013-rollouts.js';
import { control } from './0014-control.js';
import { optimizations } from './0015-optimizations.js';
import { calibrations } from './0016-calibrations.js';
import { heldRollouts } from './0017-held-rollouts.js';
import { heldEvaluations } from './0018-held-evaluations.js';
import { closedBlocks } from './0019-closed-blocks.js';
import { savings } from './0020-savings.js';
import { provedRollouts } from './0021-proved-rollouts.js';
import { scorers } from './0022-scorers.js';
import { hostBounds } from './0023-host-bounds.js';
import { inboxArms } from './0024-inbox-arms.js';
import { batchesByTime } from './0025-batches-by-time.js';
import { controlVersion } from './0026-control-version.js';

/** In order, for ever: a migration that was released is never edited, only followed. */
export const migrations: readonly Migration[] = [
  definitions,
  ledger,
  metering,
  batchBlobs,
  inbox,
  fleet,
  bundles,
  operations,
  events,
  traces,
  training,
  recordings,
  rollouts,
  control,
  optimizations,
  calibrations,
  heldRollouts,
  heldEvaluations,
  closedBlocks,
  savings,
  provedRollouts,
  scorers,
  hostBounds,
  inboxArms,
  batchesByTime,
  controlVersion,
];
