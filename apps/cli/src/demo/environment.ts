import { cpus, totalmem } from 'node:os';
import type { Environment } from './report.js';

/** The machine, as far as the figures depend on it. No names of hosts or folders. */
export function environment(servers: Pick<Environment, 'temporal' | 'postgres'>): Environment {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: processors.length,
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    ...servers,
  };
}
