import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { Submission, SubmitQuery, type SubmitResult } from '@autoflow/client/schemas';
import { Post, problemOf, ProblemError, requestIdOf, SensitiveFields } from '@autoflow/http';
import type { RecordRow } from '@autoflow/store';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Destination, Intake } from '../admission/intake.js';
import type { Outcomes } from '../admission/outcomes.js';
import { bytesOf } from '../body/bytes.js';
import { linesOf } from '../body/lines.js';
import { portionsOf, portionsOfLines } from '../body/portions.js';
import { INTAKE, type Limits, LIMITS, OUTCOMES } from '../ports.js';
import { LineAnswer, Tally } from './answers.js';
import { stopOf } from './stop.js';

export const NDJSON = 'application/x-ndjson';
type Options = z.output<typeof SubmitQuery>;

@Controller('v1/pipelines/:pipeline/records')
export class SubmitController {
  constructor(
    @Inject(INTAKE) private readonly intake: Intake,
    @Inject(OUTCOMES) private readonly outcomes: Outcomes,
    @Inject(LIMITS) private readonly limits: Limits,
    @Inject(SensitiveFields) private readonly fields: SensitiveFields,
  ) {}

  @ApiConsumes('application/json', NDJSON)
  @ApiBody({
    required: true,
    description: 'One record, an array of records, or one record per line.',
    schema: {
      oneOf: [
        { type: 'object', additionalProperties: true },
        { type: 'array', items: { type: 'object', additionalProperties: true } },
      ],
    },
  })
  @Post('', {
    summary: 'Takes records in: what is accepted is durable, and gets exactly one outcome',
    note: `A key names one record in its scope: the same record again is \`known\`, other content is a \`conflict\`. So a request
may be sent again after any failure, and needs no \`Idempotency-Key\`. A record that is not valid is an error
of that record only. A JSON body is answered when all is taken, with \`wait\` when all that was accepted has its outcome or the time is over. A body of
\`${NDJSON}\` may be gzipped and has no bound but that of its lines: it is answered line by line while it comes in, so read while you send, or ask
for \`answer=summary\`; while too many records wait it is slowed down, and it is cut when nothing has
passed for 5 minutes. A line \`{"problem": …}\` at the end says what stopped the rest.`,
    access: 'operator',
    answers: Submission,
    status: 202,
    problems: [
      'PIPELINE_UNKNOWN',
      'VERSION_UNKNOWN',
      'RECORDS_CONFLICT',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'MALFORMED_JSON',
      'RECORDS_INVALID',
      'BACKLOG_FULL',
    ],
  })
  async submit(
    @Param('pipeline') pipeline: string,
    @Query({ schema: SubmitQuery }) options: Options,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { scope, version, within } = options;
    const destination = { pipeline, scope, ...(version !== undefined && { version }), ...(within !== undefined && { withinMs: within }) };
    const signal = stopOf(request, response);
    await this.intake.specs.specOf(pipeline, version);
    await this.intake.backlog.mustHaveRoom(pipeline);
    if (request.is(NDJSON)) await this.takeLines(destination, options, request, response, signal);
    else await this.takeJson(destination, options, request, response, signal);
  }

  private async takeJson(
    destination: Destination,
    { wait, answer }: Options,
    request: Request,
    response: Response,
    signal: AbortSignal,
  ): Promise<void> {
    if (typeof request.body !== 'object' || request.body === null)
      throw new ProblemError('MALFORMED_JSON', 'The request has no body; a record is expected, or an array of records.');
    const tally = new Tally(true);
    for (const portion of portionsOf(request.body as object)) {
      if (signal.aborted) return;
      tally.add(await this.intake.take(destination, portion));
    }
    tally.mustHaveTaken();
    const submission = tally.submission();
    const results = wait === undefined ? tally.results : await this.waitFor(destination, tally.results, wait, signal);
    if (signal.aborted) return;
    response.status(202).json(answer === 'summary' ? { counts: submission.counts } : { ...submission, results });
  }

  private async takeLines(
    destination: Destination,
    { wait, answer }: Options,
    request: Request,
    response: Response,
    signal: AbortSignal,
  ): Promise<void> {
    if (wait !== undefined)
      throw new ProblemError('INVALID_PARAMETER', 'A stream is not waited for.', [{ parameter: 'wait', message: 'is for JSON bodies' }]);
    const tally = new Tally(false);
    const lines = answer === 'summary' ? undefined : new LineAnswer(response, signal);
    try {
      for await (const portion of portionsOfLines(linesOf(bytesOf(request), this.limits.lineBytes))) {
        await this.intake.backlog.room(destination.pipeline, signal);
        const results = await this.intake.take(destination, portion);
        tally.add(results);
        await lines?.write(results, tally);
      }
      if (lines?.isBegun !== true) tally.mustHaveTaken();
      await (lines === undefined ? response.status(202).json(tally.submission()) : lines.end());
    } catch (error) {
      // A client that has hung up is answered nothing; what was accepted stays.
      if (signal.aborted) return;
      if (lines?.isBegun !== true) throw error;
      const problem = problemOf(error) ?? new ProblemError('INTERNAL', 'Something that nobody foresaw went wrong.');
      lines.fail(problem.toProblem(requestIdOf(response)));
      if (problem.status >= 500) throw error; // for the log
    }
  }

  private async waitFor(
    { pipeline, scope }: Destination,
    results: readonly SubmitResult[],
    withinMs: number,
    signal: AbortSignal,
  ): Promise<readonly SubmitResult[]> {
    const keys = results.flatMap(({ key, status }) => (key !== undefined && (status === 'accepted' || status === 'known') ? [key] : []));
    const rows = await this.outcomes.wait({ pipeline, scope, keys, withinMs, signal });
    const shown = new Map<string, RecordRow>();
    for (const [key, row] of rows) shown.set(key, await this.redacted(row));
    return results.map((result) => withOutcome(result, shown.get(result.key ?? '')));
  }

  /** Nobody has asked for sensitive values here. */
  private async redacted(row: RecordRow): Promise<RecordRow> {
    if (row.output === undefined) return row;
    const show = await this.fields.shown({ name: '', role: 'viewer' }, false, { pipeline: row.pipeline, what: 'records' });
    return { ...row, output: await show(row.pipeline, row.release, row.output) };
  }
}

function withOutcome(result: SubmitResult, row: RecordRow | undefined): SubmitResult {
  if (row === undefined || (result.status !== 'accepted' && result.status !== 'known')) return result;
  const { state, version, output, filtered, death } = row;
  return {
    ...result,
    state,
    version,
    ...(output !== undefined && { output }),
    ...(filtered !== undefined && { filtered }),
    ...(death !== undefined && { death }),
  };
}
