import type { Allocation } from '@autoflow/topology';
import type pg from 'pg';
import { resetControl } from '../cells/control.js';
import type { BenchPlatform, BenchVersion } from '../platform.js';
import type { HeadlineConditions } from './conditions.js';

/** One of those that are compared. */
export interface HeadlineSide {
  readonly name: string;
  /** Of what it runs: the same in every run. The name of its version is that of one stack only. */
  readonly plan: string;
  readonly version: BenchVersion;
  readonly start: Allocation;
  /** Memory and instances follow the load: AutoFlow. */
  readonly controlled: boolean;
}

/** What every cell is measured with. */
export interface Rig {
  readonly platform: BenchPlatform;
  readonly sql: pg.Pool;
  readonly conditions: HeadlineConditions;
}

/** New records go to this side, which begins as if nothing had been before. */
export async function activate({ platform, sql, conditions }: Rig, { version, start, controlled }: HeadlineSide): Promise<void> {
  await platform.makeStable(version);
  await resetControl(platform, sql, {
    version: version.name,
    start,
    mode: controlled ? 'auto' : 'off',
    intervalMs: conditions.controlIntervalMs,
    sloMs: conditions.serviceLevelMs,
  });
}
