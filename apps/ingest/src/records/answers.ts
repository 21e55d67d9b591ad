/** How the answer to a submission is written: at once, or line by line while the records come in. */
import { once } from 'node:events';
import type { Submission, SubmitCounts, SubmitResult } from '@autoflow/client/schemas';
import { ProblemError } from '@autoflow/http';
import type { Response } from 'express';

/** Of so many results the errors are told in a problem; the others are counted. */
const MOST_ERRORS = 100;
/** Lines of an answer are held back until one record was taken, so that a body without any is refused; but no more than these. */
const MOST_HELD = 1_000;

/** Collects the answer to a JSON body, or a summary. */
export class Tally {
  readonly results: SubmitResult[] = [];
  private readonly counted = { accepted: 0, known: 0, conflict: 0, invalid: 0 };
  private readonly refused: SubmitResult[] = [];

  constructor(private readonly keepsResults: boolean) {}

  get counts(): SubmitCounts {
    return this.counted;
  }

  add(results: readonly SubmitResult[]): void {
    for (const result of results) {
      this.counted[result.status]++;
      if (result.status !== 'accepted' && result.status !== 'known' && this.refused.length < MOST_ERRORS) this.refused.push(result);
    }
    if (this.keepsResults) this.results.push(...results);
  }

  /** Nothing was taken, or known: the request as a whole is refused, by conflict first. */
  mustHaveTaken(): void {
    const { accepted, known, conflict, invalid } = this.counted;
    if (accepted + known > 0 || conflict + invalid === 0) return;
    const errors = this.refused.flatMap(errorsOf).slice(0, MOST_ERRORS);
    const all = conflict + invalid;
    throw conflict > 0
      ? new ProblemError(
          'RECORDS_CONFLICT',
          `Of ${all} records none was taken: the keys of ${conflict} are there with other content.`,
          errors,
        )
      : new ProblemError('RECORDS_INVALID', `Of ${all} records none is one that the pipeline takes.`, errors);
  }

  submission(): Submission {
    return { counts: this.counted, ...(this.keepsResults && { results: this.results }) };
  }
}

function errorsOf({ status, key, line, index, errors }: SubmitResult) {
  const pointer = index === undefined ? '' : `/${index}`;
  const where = line === undefined ? '' : `line ${line}: `;
  return status === 'conflict'
    ? [{ pointer, code: 'RECORDS_CONFLICT', message: `${where}the key ${JSON.stringify(key)} is there with other content` }]
    : (errors ?? []).map((error) => ({ ...error, message: `${where}${error.message}` }));
}

/** Writes results as NDJSON while records still come in; waits for a reader that is slower than we are. */
export class LineAnswer {
  private held: SubmitResult[] = [];

  constructor(
    private readonly response: Response,
    private readonly signal: AbortSignal,
  ) {}

  get isBegun(): boolean {
    return this.response.headersSent;
  }

  async write(results: readonly SubmitResult[], tally: Tally): Promise<void> {
    this.held.push(...results);
    const { accepted, known } = tally.counts;
    if (!this.isBegun && accepted + known === 0 && this.held.length < MOST_HELD) return;
    await this.flush();
  }

  async end(): Promise<void> {
    await this.flush();
    this.response.end();
  }

  /** What stopped the records behind the last line: the answer has begun, and cannot become a problem any more. */
  fail(problem: object): void {
    this.response.end(`${JSON.stringify({ problem })}\n`);
  }

  private async flush(): Promise<void> {
    if (!this.isBegun) this.response.status(202).type('application/x-ndjson');
    const text = this.held.map((result) => `${JSON.stringify(result)}\n`).join('');
    this.held = [];
    if (!this.response.write(text)) await once(this.response, 'drain', { signal: this.signal });
  }
}
