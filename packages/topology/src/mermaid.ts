import type { Topology } from './topology.js';

/** A Mermaid flowchart: a box per stage with its functions in running order, from the batch as admitted to its outcomes. */
export function toMermaid(topology: Topology): string {
  const id = new Map(topology.stages.map((stage, i) => [stage.name, `s${i}`]));
  const waitedFor = new Set(topology.stages.flatMap((stage) => stage.after));
  const { stages } = topology;
  const lines = ['flowchart LR', `  in(["${admitted(topology)}"])`];
  for (const { name, nodes, partitions } of stages) {
    const title = nodes.map(escaped).join('<br/>') + (partitions > 1 ? `<br/>× ${partitions}` : '');
    lines.push(`  ${id.get(name)}["${title}"]`);
  }
  for (const { name, after } of stages) {
    const from = after.flatMap((before) => id.get(before) ?? []);
    for (const source of from.length === 0 ? ['in'] : from) lines.push(`  ${source} --> ${id.get(name)}`);
    if (!waitedFor.has(name)) lines.push(`  ${id.get(name)} --> out(["outcomes"])`);
  }
  return `${lines.join('\n')}\n`;
}

/** What a batch is. */
export function admitted({ batch, lingerMs }: Topology): string {
  return `${batch.records === 1 ? '1 record' : `up to ${batch.records} records`}${lingerMs > 0 ? `<br/>linger ${lingerMs} ms` : ''}`;
}

/** Mermaid's own entities: `#` begins one, so it is written as one too. */
export function escaped(text: string): string {
  return text.replace(/["#<>&]/g, (character) => `#${character.charCodeAt(0)};`);
}
