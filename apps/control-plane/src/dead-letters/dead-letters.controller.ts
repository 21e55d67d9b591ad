import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import {
  DeadLetter,
  DeadLetterGroups,
  DeadLetterGroupsQuery,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLettersQuery,
  DiscardMany,
  DiscardOne,
  LettersSettled,
  RedriveMany,
  RedriveOne,
} from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, pageOf, Post, type ProblemCode, SensitiveFields, type Showing, Shown } from '@autoflow/http';
import type { Letter, LetterFilter, Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { DeadLettersService } from './dead-letters.service.js';

const BODY: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', ...BODY_PROBLEMS];
const ONE: readonly ProblemCode[] = [...BODY, 'DEAD_LETTER_UNKNOWN', 'DEAD_LETTER_SETTLED'];

@Controller('v1/pipelines/:pipeline')
export class DeadLettersController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(DeadLettersService) private readonly letters: DeadLettersService,
    @Inject(SensitiveFields) private readonly fields: SensitiveFields,
  ) {}

  @Get('dead-letters', {
    summary: 'Records that died, newest first, with their errors; those that nothing was done with, unless `state` says otherwise',
    access: 'viewer',
    answers: DeadLetterPage,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async list(
    @Param('pipeline') pipeline: string,
    @Query({ schema: DeadLettersQuery }) { limit, cursor, state, ...query }: z.output<typeof DeadLettersQuery>,
  ) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.deadLetters.list({
      ...filterOf(pipeline, query),
      state,
      limit,
      ...(cursor !== undefined && { after: cursor }),
    });
    return pageOf(rows, limit, summary, ({ id }) => id);
  }

  @Get('dead-letters/groups', {
    summary: 'How many there are of each code in each function, the most frequent first',
    access: 'viewer',
    answers: DeadLetterGroups,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async groups(
    @Param('pipeline') pipeline: string,
    @Query({ schema: DeadLetterGroupsQuery }) { limit, state, ...query }: z.output<typeof DeadLetterGroupsQuery>,
  ) {
    await findPipeline(this.store, pipeline);
    return { items: await this.store.deadLetters.groups({ ...filterOf(pipeline, query), state, limit }) };
  }

  @Get('dead-letters/:letter', {
    summary: 'One dead letter with its input record, and all letters of that record',
    access: 'viewer',
    answers: DeadLetter,
    problems: ['PIPELINE_UNKNOWN', 'DEAD_LETTER_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Param('letter') id: string,
    @Query({ schema: DeadLetterQuery }) { reveal }: z.output<typeof DeadLetterQuery>,
    @Shown() showing: Showing,
  ) {
    return this.presented(await this.letters.find(pipeline, id), showing, reveal);
  }

  @Post('dead-letters\\:redrive', {
    summary: 'Run the records of the newest letters that match again, at most `limit`; send it again while `remaining` is above zero',
    access: 'operator',
    answers: LettersSettled,
    idempotent: 'kept',
    problems: [...BODY, 'VERSION_UNKNOWN'],
  })
  redriveMany(
    @Param('pipeline') pipeline: string,
    @Body({ schema: RedriveMany }) { limit, to, reason, ...query }: z.output<typeof RedriveMany>,
    @Caller() by: By,
  ) {
    return this.letters.redriveMany(filterOf(pipeline, query), limit, to, by(reason));
  }

  @Post('dead-letters\\:discard', {
    summary: 'Discard the newest letters that match, at most `limit`: they stay in the history, with the reason',
    access: 'operator',
    answers: LettersSettled,
    idempotent: 'kept',
    problems: BODY,
  })
  discardMany(
    @Param('pipeline') pipeline: string,
    @Body({ schema: DiscardMany }) { limit, reason, ...query }: z.output<typeof DiscardMany>,
    @Caller() by: By,
  ) {
    return this.letters.many(filterOf(pipeline, query), limit, (letters) => this.letters.discard(letters, by(reason)));
  }

  @Post('dead-letters/:letter\\:redrive', {
    summary: 'Run the record again: as new traffic (`latest`), or on the version it died on (`original`)',
    access: 'operator',
    answers: DeadLetter,
    idempotent: 'kept',
    problems: [...ONE, 'DEAD_LETTER_KEYLESS', 'VERSION_UNKNOWN'],
  })
  async redrive(
    @Param('pipeline') pipeline: string,
    @Param('letter') id: string,
    @Body({ schema: RedriveOne }) { to, reason }: z.output<typeof RedriveOne>,
    @Caller() by: By,
    @Shown() showing: Showing,
  ) {
    return this.presented(await this.letters.redriveOne(pipeline, id, to, by(reason)), showing);
  }

  @Post('dead-letters/:letter\\:discard', {
    summary: 'Let it be: it stays in the history, with the reason',
    access: 'operator',
    answers: DeadLetter,
    idempotent: 'kept',
    problems: ONE,
  })
  async discard(
    @Param('pipeline') pipeline: string,
    @Param('letter') id: string,
    @Body({ schema: DiscardOne }) { reason }: z.output<typeof DiscardOne>,
    @Caller() by: By,
    @Shown() showing: Showing,
  ) {
    return this.presented(await this.letters.discardOne(pipeline, id, by(reason)), showing);
  }

  private async presented(letter: Letter, showing: Showing, reveal = false) {
    const { pipeline, release } = letter;
    const show = await this.fields.shown(showing, reveal, { pipeline, what: `dead letter ${letter.id}` });
    const history = await this.store.deadLetters.history(letter.pipeline, letter.scope, letter.key);
    return { ...summary(letter), record: await show(pipeline, release, letter.record), history: history.map(summary) };
  }
}

/** The `stage` of the query is the function or stage `in` which a record died. */
function filterOf(
  pipeline: string,
  { stage, ...query }: { readonly stage?: string } & Omit<LetterFilter, 'pipeline' | 'in'>,
): LetterFilter {
  return { pipeline, ...query, ...(stage !== undefined && { in: stage }) };
}

function summary({ pipeline: _, record: _record, digest: _digest, keyless: _keyless, ...row }: Letter) {
  return row;
}
