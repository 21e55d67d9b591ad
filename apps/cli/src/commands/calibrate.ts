import { setTimeout as delay } from 'node:timers/promises';
import type { AutoFlowClient, Calibration } from '@autoflow/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, withContext } from '../context.js';
import { BadAnswerError } from '../errors.js';
import { ms } from '../format.js';
import { table } from '../output.js';

interface CalibrateOptions {
  readonly memory?: number[];
  readonly version?: string;
}
export type Report = NonNullable<Calibration['report']>;

const POLL_MS = 1_000;

export function registerCalibrate(program: Command): void {
  program
    .command('calibrate <pipeline>')
    .description('measure its functions at several memory sizes, over recorded inputs')
    .option('--memory <sizes>', 'MB, at least three (default: 128,512,1024)', sizes)
    .option('--version <version>', 'whose release is measured (default: the stable one)')
    .action(withContext<CalibrateOptions>(calibrate));
}

async function calibrate({ out, client }: Context, { memory, version }: CalibrateOptions, pipeline = ''): Promise<void> {
  const api = await client();
  const body = { ...(memory && { memoryMb: memory }), ...(version !== undefined && { version }) };
  const started = await api.calibrations.start(pipeline, body);
  out.note(`${started.id} is running; Ctrl-C leaves it running`);
  const { state, failure, report } = await ended(api, started);
  if (state !== 'completed' || report === undefined)
    throw new BadAnswerError('CALIBRATION_FAILED', failure?.message ?? `${started.id} is ${state}.`);
  out.answer(report, () => calibrationText(report));
}

async function ended(api: AutoFlowClient, { pipeline, id }: Calibration): Promise<Calibration> {
  for (;;) {
    const now = await api.calibrations.show(pipeline, id);
    if (now.state !== 'running') return now;
    await delay(POLL_MS);
  }
}

/** A function in a row, a memory size in a column. */
export function calibrationText({ version, records, batchSizes, measured, notMeasured }: Report): string {
  const memory = [...new Set(measured.map(({ memoryMb }) => memoryMb))];
  const functions = [...new Set(measured.map((each) => each.function))];
  const cell = (name: string, size: number): string => {
    const found = measured.find((each) => each.function === name && each.memoryMb === size);
    return found?.cpuMsPerRecord === undefined ? 'does not run' : ms(found.cpuMsPerRecord);
  };
  return [
    table(
      ['CPU PER RECORD', ...memory.map((size) => `${size} MB`)],
      functions.map((name) => [name, ...memory.map((size) => cell(name, size))]),
      'No function of it is pure: there is nothing to measure without touching what is outside.',
    ),
    `${version} · ${records} recorded inputs, in batches of ${batchSizes.join(' and ')}`,
    ...(notMeasured.length > 0 ? [`answered from recordings, not measured: ${notMeasured.join(', ')}`] : []),
  ].join('\n');
}

function sizes(text: string): number[] {
  const found = text.split(',').map(Number);
  if (!found.every((size) => Number.isInteger(size) && size > 0))
    throw new InvalidArgumentError('They are whole numbers of MB, such as 128,512,1024.');
  return found;
}
