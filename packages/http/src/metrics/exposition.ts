/** Prometheus' text format 0.0.4: gauges that are set anew at every reading. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class Exposition {
  readonly #metrics = new Map<string, string[]>();

  gauge(name: string, help: string, value: number, labels: { readonly [label: string]: string } = {}): void {
    const metric = this.#metrics.get(name) ?? [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replace(/["\\\n]/g, escape)}"`);
    metric.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
    this.#metrics.set(name, metric);
  }

  toString(): string {
    return `${[...this.#metrics.values()].flat().join('\n')}\n`;
  }
}

const escape = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`);
