import { writeFileSync } from 'node:fs';
import { bundleFile, bundleWorkflows, sourcesFile, sourcesHash } from './bundle.js';

const hash = sourcesHash();

for (const traced of [false, true]) {
  const { code } = await bundleWorkflows({ traced });
  writeFileSync(bundleFile(traced), code);
  process.stdout.write(`${bundleFile(traced)} ${(code.length / 1024 / 1024).toFixed(2)} MB\n`);
}
writeFileSync(sourcesFile, hash);
