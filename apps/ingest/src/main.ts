/** Ingest as a process. */
import { runService } from '@autoflow/http';
import { createIngest } from './ingest.js';
import { readSettings } from './settings.js';

await runService({ app: 'ingest', readSettings, start: (settings, ports) => createIngest({ ...settings, ...ports }) });
