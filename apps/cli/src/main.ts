import { continuing, startTracing } from '@autoflow/telemetry';
import { run } from './program.js';

// A reader that closes the pipe (`autoflow … | head`) or a terminal that is gone (SIGHUP) is no error: the clean-up must go on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
const tracing = await startTracing({ service: 'autoflow-cli', env: process.env, log: () => undefined });
const [command = 'help'] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
process.exitCode = await continuing(`autoflow ${command}`, [], {}, () => run(process.argv.slice(2)));
await tracing?.close();
