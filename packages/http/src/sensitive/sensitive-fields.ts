import { Inject, Injectable } from '@nestjs/common';
import { type Fields, redactFields } from '@autoflow/pipeline';
import type { Store } from '@autoflow/store';
import { ProblemError } from '../problems/problem-error.js';
import type { Showing } from './shown.js';

/** Injection token of where releases are found, and the audit log is kept. */
export const SENSITIVE_STORE = Symbol('SensitiveStore');

/** The fields of a record of a release as the caller may see them. */
export type Show = (pipeline: string, release: string, fields: Fields) => Promise<Fields>;

/** Values of sensitive fields are shown to an admin who asks for them, and to nobody else; that they were is in the audit log before. */
@Injectable()
export class SensitiveFields {
  /** By pipeline and release, which never change. */
  readonly #paths = new Map<string, readonly string[]>();

  constructor(@Inject(SENSITIVE_STORE) private readonly store: Pick<Store, 'access' | 'definitions'>) {}

  async shown({ name, role }: Showing, reveal: boolean, of: { readonly pipeline: string; readonly what: string }): Promise<Show> {
    if (!reveal) return async (pipeline, release, fields) => redactFields(fields, await this.paths(pipeline, release));
    if (role !== 'admin')
      throw new ProblemError('FORBIDDEN', `The token ${name} has the role ${role}; to reveal sensitive fields needs admin.`);
    const change = { action: 'sensitive.revealed', pipeline: of.pipeline, after: { what: of.what } };
    await this.store.access.note(change, { actor: name, reason: 'asked to reveal it' });
    return (_pipeline, _release, fields) => Promise.resolve(fields);
  }

  private async paths(pipeline: string, release: string): Promise<readonly string[]> {
    const id = `${pipeline} ${release}`;
    const known = this.#paths.get(id) ?? (await this.store.definitions.release(pipeline, release))?.spec.sensitive ?? [];
    this.#paths.set(id, known);
    return known;
  }
}
