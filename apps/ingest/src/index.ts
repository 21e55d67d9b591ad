export { createIngest, type Ingest, type IngestOptions } from './ingest.js';
export { readSettings, type Settings, SettingsError } from './settings.js';
