export { createIngest, type Ingest, type IngestOptions } from './ingest.js';
export { readSettings, type Settings } from './settings.js';
