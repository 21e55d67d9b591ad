import type { AnyPipeline } from '../pipeline.js';

const SHAPES = { function: ['[', ']'], filter: ['{{', '}}'], expand: ['[/', '\\]'], reduce: ['[\\', '/]'] } as const;

/** The pipeline as written, as a Mermaid flowchart: one node per call, sinks with a thick border. */
export function toMermaid({ name, wiring: { nodes } }: AnyPipeline): string {
  const mark = new Map(nodes.map(({ id }, i) => [id, `n${i + 1}`]));
  return [
    'flowchart LR',
    `  n0(["${name}"])`,
    ...nodes.flatMap(({ id, kind, effect, inputs }) => {
      const [open, close] = SHAPES[kind];
      const sink = effect === 'idempotent-write' || effect === 'write' ? ':::sink' : '';
      return [
        `  ${mark.get(id)}${open}"${id}"${close}${sink}`,
        ...(inputs.length === 0 ? ['n0'] : inputs.map((input) => mark.get(input))).map((from) => `  ${from} --> ${mark.get(id)}`),
      ];
    }),
    '  classDef sink stroke-width:3px',
  ].join('\n');
}
