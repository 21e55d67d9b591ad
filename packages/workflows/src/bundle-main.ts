import { writeFileSync } from 'node:fs';
import { BUNDLE_FILE, bundleWorkflows } from './bundle.js';

const { code } = await bundleWorkflows();
writeFileSync(BUNDLE_FILE, code);
process.stdout.write(`${BUNDLE_FILE} ${(code.length / 1024 / 1024).toFixed(2)} MB\n`);
