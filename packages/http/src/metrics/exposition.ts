/** Prometheus' text format 0.0.4, made anew at every reading. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = { readonly [label: string]: string };

export class Exposition {
  readonly #metrics = new Map<string, string[]>();

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#add('gauge', name, help, value, labels);
  }

  /** Since the process started; its name ends in `_total`. */
  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#add('counter', name, help, value, labels);
  }

  #add(type: 'gauge' | 'counter', name: string, help: string, value: number, labels: Labels): void {
    const metric = this.#metrics.get(name) ?? [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replace(/["\\\n]/g, escape)}"`);
    metric.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
    this.#metrics.set(name, metric);
  }

  toString(): string {
    return `${[...this.#metrics.values()].flat().join('\n')}\n`;
  }
}

const escape = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`);
