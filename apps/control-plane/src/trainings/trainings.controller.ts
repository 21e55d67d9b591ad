import { Controller, Inject, Param, Query } from '@nestjs/common';
import { TrainedParameters, TrainingDetail, TrainingList, TrainingsQuery } from '@autoflow/client/schemas';
import { Get, pageOf, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';

@Controller('v1/trainings')
export class TrainingsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'Trainings of the resource agent, newest first', access: 'viewer', answers: TrainingList })
  async list(@Query({ schema: TrainingsQuery }) { limit, cursor }: z.output<typeof TrainingsQuery>) {
    const rows = await this.store.trainings.page({ limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(
      rows,
      limit,
      (row) => row,
      ({ id }) => id,
    );
  }

  @Get(':training', {
    summary: 'One training: how far it is, and its reward curve',
    access: 'viewer',
    answers: TrainingDetail,
    problems: ['TRAINING_UNKNOWN'],
  })
  async show(@Param('training') id: string) {
    const { trainings } = this.store;
    const [row, curve, best] = await Promise.all([trainings.get(id), trainings.curve(id), trainings.best(id)]);
    if (row === undefined) throw new ProblemError('TRAINING_UNKNOWN', `There is no training ${JSON.stringify(id)}.`);
    return { ...row, curve, ...(best && { best: { version: best.version, score: best.score } }) };
  }

  @Get(':training/parameters', {
    summary: 'The parameters of its best version',
    access: 'viewer',
    answers: TrainedParameters,
    problems: ['TRAINING_UNKNOWN', 'TRAINING_WITHOUT_RESULT'],
  })
  async parameters(@Param('training') id: string) {
    const { trainings } = this.store;
    const [row, best] = await Promise.all([trainings.get(id), trainings.best(id)]);
    if (row === undefined) throw new ProblemError('TRAINING_UNKNOWN', `There is no training ${JSON.stringify(id)}.`);
    if (best === undefined)
      throw new ProblemError(
        'TRAINING_WITHOUT_RESULT',
        `${id} was not validated yet: there is no best version. Wait, or train for longer.`,
      );
    const { version, steps, score, weights } = best;
    const bytes = Buffer.alloc(4 * weights.length);
    weights.forEach((weight, i) => bytes.writeFloatLE(weight, 4 * i));
    return { training: id, version, steps, score, settings: row.settings, weights: bytes.toString('base64') };
  }
}
