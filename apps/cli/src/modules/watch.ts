import { context } from 'esbuild';

/**
 * Calls `changed` once now, and after every change of the module or of anything that it imports; also when it cannot be bundled, which is
 * for the caller to find out.
 */
export async function watchModule(file: string, changed: () => void): Promise<{ close(): Promise<void> }> {
  const watching = await context({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    plugins: [{ name: 'changed', setup: (build) => build.onEnd(changed) }],
  });
  await watching.watch();
  return { close: () => watching.dispose() };
}
