/** What of the experiment is measured now: of the rest, what was measured before is taken. */
import { chosenParts } from '../chosen-parts.js';
import type { Lab } from './lab.js';

/** Each can be run by itself, with what it needs of the others; `cold` is in all of them. */
export const PARTS = ['cold', 'rates', 'common', 'varying', 'alone'] as const;
export type Part = (typeof PARTS)[number];

/** Of a list such as `rates,common`; all where there is none. */
export const partsOf = (only: string | undefined): ReadonlySet<Part> => chosenParts('the headline', PARTS, only);

export class Labs<Measured> {
  private readonly closed = new Map<Part, Lab<Measured>>();

  constructor(
    private readonly asked: ReadonlySet<Part>,
    private readonly open: Lab<Measured>,
  ) {}

  /** For what any of these parts needs: measures it if one of them was asked for. */
  of(...parts: readonly [Part, ...Part[]]): Lab<Measured> {
    if (parts.some((part) => this.asked.has(part))) return this.open;
    const [part] = parts;
    const lab = this.closed.get(part) ?? this.open.shut();
    this.closed.set(part, lab);
    return lab;
  }

  /** Cells that there was no time for, and parts that were not asked for and are not known from before. */
  get missing(): string[] {
    return [
      ...this.open.missing,
      ...PARTS.filter((part) => (this.closed.get(part)?.missing.length ?? 0) > 0).map((part) => `the part '${part}'`),
    ];
  }
}
