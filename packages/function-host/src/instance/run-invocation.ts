import type { RecordState } from '@autoflow/pipeline';
import { condemn, mergeStates, runNodes, type RunResult } from '@autoflow/pipeline/runtime';
import { StageFailure, type BatchRef, type StageInvocation } from '@autoflow/topology/execution';
import { redactor } from '../process/redact.js';
import type { OpenStage } from './open-stage.js';
import { STORE_WITHIN_MS, type InstanceMessage, type InvocationFailure } from './protocol.js';
import { startMeter } from './usage-meter.js';
