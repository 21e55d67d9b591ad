import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineSpec } from '@autoflow/pipeline';
import { openSource } from './index.js';

describe('a worker with folders for sources', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'autoflow-folders-'));
    for (const folder of ['in', 'in-too', 'out', 'more']) await mkdir(join(root, folder));
    for (const path of ['in/a.jsonl', 'in-too/a.jsonl', 'out/a.jsonl', 'more/a.jsonl']) await writeFile(join(root, path), '{"id":"a"}\n');
    await symlink(join(root, 'out', 'a.jsonl'), join(root, 'in', 'link.jsonl'));
    await symlink(join(root, 'out'), join(root, 'in', 'folder'));
    await symlink(join(root, 'in'), join(root, 'way-in'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const read = async (path: string, folders?: readonly string[]) => {
    const access = { secret: () => undefined, ...(folders && { folders }) };
    const source = await openSource({ kind: 'jsonl', path: join(root, path) }, {} as PipelineSpec, access);
    for await (const { fields } of source.records(0)) return fields;
    return undefined;
  };
  const folders = () => [join(root, 'way-in'), join(root, 'more')];

  it.each(['in/a.jsonl', 'way-in/a.jsonl', 'more/a.jsonl', 'out/../in/a.jsonl'])('reads %s', async (path) => {
    expect(await read(path, folders())).toEqual({ id: 'a' });
  });

  it.each(['out/a.jsonl', 'in/../out/a.jsonl', 'in/link.jsonl', 'in/folder/a.jsonl', 'in-too/a.jsonl', 'out/nothing.jsonl', '..'])(
    'refuses %s, whatever is there',
    async (path) => {
      await expect(read(path, folders())).rejects.toMatchObject({
        name: 'SourceError',
        code: 'SOURCE_FORBIDDEN',
        message: expect.stringContaining('AUTOFLOW_SOURCES'),
      });
    },
  );

  it('says of what is missing in a folder of its own that it is missing', async () => {
    for (const path of ['in/nothing.jsonl', 'way-in/nothing.jsonl'])
      await expect(read(path, folders())).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
  });

  it('reads everything when it has none', async () => {
    expect(await read('in/link.jsonl')).toEqual({ id: 'a' });
    await expect(read('in/a.jsonl', [])).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  });
});
