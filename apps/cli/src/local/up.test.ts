/** `autoflow up` on the servers of the test run: what it starts, what a second one says, how it ends, what stays. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { samples } from '@autoflow/retail-orders';
import { type AnyJson, start, type Started } from '../testing/spawn.js';

const stack = useTestStack();

/** Servers that are there already are used, and a cache folder of its own keeps this stack apart from the user's. */
const env = () => ({
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: stack.temporal.address,
  TEMPORAL_NAMESPACE: stack.temporal.namespace,
  XDG_CACHE_HOME: join(stack.folder, 'cache'),
});
const autoflow = (...args: string[]) => start([...args, '--json'], env()).ended;

async function up(): Promise<Started & { readonly addresses: AnyJson }> {
  const started = start(['up', '--json'], env());
  const failed = started.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`up ended: ${stdout}${stderr}`)));
  failed.catch(() => undefined);
  return { ...started, addresses: await Promise.race([started.answered, failed]) };
}

test(
  'up, used, stopped by Ctrl-C, up again with its data; when up is killed, what it started ends by itself',
  { timeout: 180_000 },
  async () => {
    const first = await up();
    expect(first.addresses).toMatchObject({ api: expect.stringMatching(/^http:/), pipelines: [{ name: 'retail-orders', version: 'v1' }] });
    expect((await stat(first.addresses.tokenFile)).mode & 0o777).toBe(0o600);

    expect(await autoflow('status')).toMatchObject({ code: 0, json: { status: 'ok', pipelines: [{ name: 'retail-orders' }] } });
    const second = await autoflow('up');
    expect(second).toMatchObject({ code: 1, json: { error: { code: 'STACK_RUNNING' } } });
    const registered = await autoflow('pipelines', 'register', 'retail-orders');
    expect(registered).toMatchObject({ code: 0, json: [{ name: 'retail-orders', created: false }] });
    const sample = JSON.stringify({ ...samples[0]!, InvoiceNo: 'by-ingest' });
    expect(await autoflow('submit', 'retail-orders', '--record', sample, '--wait')).toMatchObject({
      code: 0,
      json: { counts: { accepted: 1 }, results: [{ key: 'by-ingest', state: expect.stringMatching(/^(completed|filtered)$/) }] },
    });
    const done = await autoflow('backfill', 'retail-orders', '--source', await invoices(), '--wait');
    expect(done).toMatchObject({ code: 0, json: { state: 'completed', progress: { settled: 2 } } });

    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(0);
    expect((await autoflow('status')).code).toBe(3);

    const again = await up();
    expect(await readFile(again.addresses.tokenFile, 'utf8')).toBe(await readFile(first.addresses.tokenFile, 'utf8'));
    expect((await autoflow('backfills', 'list', 'retail-orders')).json).toMatchObject([{ state: 'completed' }]);

    again.child.kill('SIGKILL');
    const answers = () =>
      fetch(`${again.addresses.api}/v1/health/live`).then(
        () => true,
        () => false,
      );
    await expect.poll(answers, { interval: 100, timeout: 60_000 }).toBe(false);
    expect((await autoflow('status')).code).toBe(3);
  },
);

async function invoices(): Promise<string> {
  const file = join(stack.folder, 'invoices.jsonl');
  await writeFile(
    file,
    samples
      .slice(0, 2)
      .map((sample) => `${JSON.stringify(sample)}\n`)
      .join(''),
  );
  return file;
}
