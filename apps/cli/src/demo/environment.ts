import { cpus, totalmem } from 'node:os';
import type { Environment } from './report.js';

export interface DemoServers {
  readonly temporal: 'own, in memory' | 'configured';
  readonly postgres: 'own' | 'configured';
}

/** The machine, as far as the figures depend on it. No names of hosts or folders. */
export function environment(servers: DemoServers): Environment {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: processors.length,
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    servers,
  };
}
