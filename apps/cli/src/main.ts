import { run } from './program.js';

// A reader that closes the pipe (`autoflow … | head`) or a terminal that is gone (SIGHUP) is no error: the clean-up must go on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
process.exitCode = await run(process.argv.slice(2));
