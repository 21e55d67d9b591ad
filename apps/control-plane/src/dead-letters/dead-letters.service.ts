import { Inject, Injectable } from '@nestjs/common';
import { ProblemError } from '@autoflow/http';
import { type Actor, type Letter, type LetterFilter, type NewRecord, recordDigest, type Store } from '@autoflow/store';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

type Target = 'latest' | 'original';
interface Settled {
  /** Redriven or discarded now. */
  readonly done: number;
  readonly skipped: number;
}

/** What people do with dead letters. Letters are never deleted; a record that is run again gets another outcome, and its letters stay. */
@Injectable()
export class DeadLettersService {
  constructor(@Inject(STORE) private readonly store: Store) {}

  async find(pipeline: string, id: string): Promise<Letter> {
    await findPipeline(this.store, pipeline);
    const letter = await this.store.deadLetters.get(pipeline, id);
    if (letter === undefined) throw new ProblemError('DEAD_LETTER_UNKNOWN', `${pipeline} has no dead letter ${JSON.stringify(id)}.`);
    return letter;
  }

  async redriveOne(pipeline: string, id: string, to: Target, by: Actor): Promise<Letter> {
    const letter = await this.open(pipeline, id, 'redriven');
    if (letter.keyless) throw keyless(letter);
    if (letter.state === 'open' && (await this.redrive([letter], to, by)).done === 0) await this.open(pipeline, id, 'redriven');
    return this.find(pipeline, id);
  }

  async discardOne(pipeline: string, id: string, by: Actor): Promise<Letter> {
    const letter = await this.open(pipeline, id, 'discarded');
    if (letter.state === 'open') await this.store.deadLetters.settle({ pipeline, ids: [id], fate: 'discarded', by });
    return this.open(pipeline, id, 'discarded');
  }

  /** Those that do not go by their record's key are left where they are, and counted as `keyless`. */
  async redriveMany(filter: LetterFilter, limit: number, to: Target, by: Actor) {
    const settled = await this.many({ ...filter, keyless: false }, limit, (letters) => this.redrive(letters, to, by));
    const left = await this.store.deadLetters.count({ ...filter, keyless: true });
    return { ...settled, ...(left > 0 && { keyless: left }) };
  }

  /** The newest first, `limit` at most; what was done is open no longer, so that the same request goes on with the rest. */
  async many(filter: LetterFilter, limit: number, act: (letters: readonly Letter[]) => Promise<Settled>) {
    await findPipeline(this.store, filter.pipeline);
    const matched = await this.store.deadLetters.count(filter);
    const letters = await this.store.deadLetters.list({ ...filter, limit });
    const settled = await act(letters);
    return { matched, ...settled, remaining: await this.store.deadLetters.count(filter) };
  }

  /**
   * Into the inbox first, then the fate: whoever dies between leaves letters open whose records wait already, and redriving them again finds
   * them waiting. A record that runs by now is left alone.
   */
  private async redrive(letters: readonly Letter[], to: Target, by: Actor): Promise<Settled> {
    const accepted: Letter[] = [];
    const versions = new Map<string, string>();
    for (const [scope, ofScope] of grouped(letters, ({ scope }) => scope)) {
      const records: NewRecord[] = [];
      for (const letter of ofScope) records.push(await this.recordOf(letter, to, versions));
      const answers = await this.store.inbox.accept({ pipeline: ofScope[0]!.pipeline, scope, records });
      accepted.push(...ofScope.filter((_, i) => answers[i]?.state === 'accepted' || isWaiting(answers[i])));
    }
    const done = await this.settle(accepted, to, by);
    return { done, skipped: letters.length - done };
  }

  async discard(letters: readonly Letter[], by: Actor): Promise<Settled> {
    const [first] = letters;
    if (first === undefined) return { done: 0, skipped: 0 };
    const done = await this.store.deadLetters.settle({ pipeline: first.pipeline, ids: letters.map(({ id }) => id), fate: 'discarded', by });
    return { done: done.length, skipped: letters.length - done.length };
  }

  private async settle(letters: readonly Letter[], to: Target, by: Actor): Promise<number> {
    const [first] = letters;
    if (first === undefined) return 0;
    const ids = letters.map(({ id }) => id);
    return (await this.store.deadLetters.settle({ pipeline: first.pipeline, ids, fate: 'redriven', by, note: { to } })).length;
  }

  /** `original`: the version it died on, which is one of that release; a newer one of the release might do, this one is sure to. */
  private async recordOf({ key, record, digest, version, pipeline }: Letter, to: Target, known: Map<string, string>): Promise<NewRecord> {
    if (to === 'original' && !known.has(version)) {
      const found = await this.store.definitions.version(pipeline, version);
      if (found === undefined) throw new ProblemError('VERSION_UNKNOWN', `${pipeline} has no version ${version} any more.`);
      known.set(version, found.name);
    }
    return {
      key,
      record,
      digest: digest ?? recordDigest(record),
      bytes: Buffer.byteLength(JSON.stringify(record)),
      replace: true,
      ...(to === 'original' && { version }),
    };
  }

  /** Throws for one whose fate is another. */
  private async open(pipeline: string, id: string, wanted: 'redriven' | 'discarded'): Promise<Letter> {
    const letter = await this.find(pipeline, id);
    if (letter.state === 'open' || letter.state === wanted) return letter;
    throw new ProblemError(
      'DEAD_LETTER_SETTLED',
      letter.state === 'past'
        ? `The record ${JSON.stringify(letter.key)} was run again since the letter ${id}.`
        : `The letter ${id} was ${letter.state} by ${letter.fate?.actor}: ${letter.fate?.reason}.`,
    );
  }
}

function keyless({ id, key, code }: Letter): ProblemError {
  const why = code === 'KEY_CONFLICT' ? "its record's key is another record's" : 'its record has no key that could be used';
  return new ProblemError(
    'DEAD_LETTER_KEYLESS',
    `The letter ${id} goes by ${JSON.stringify(key)}, since ${why}: run again under it, it would count as one more record.`,
  );
}

/** Redriven before, and not fed yet. */
function isWaiting(answer: { readonly state: string; readonly as?: string } | undefined): boolean {
  return answer?.state !== 'accepted' && answer?.as === 'waiting';
}

function grouped<T>(items: readonly T[], by: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = by(item);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
}
