import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvSource } from './csv.js';
import { jsonlSource } from './jsonl.js';
import type { Source, SourceRecord } from './source.js';

const NOTHING = { record: [], row: [] };

describe('sources', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'autoflow-sources-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  let files = 0;
  const file = async (content: string | Uint8Array): Promise<string> => {
    const path = join(folder, `file-${files++}`);
    await writeFile(path, content);
    return path;
  };
  const all = async (source: Source, skip = 0): Promise<SourceRecord[]> => {
    const records: SourceRecord[] = [];
    for await (const record of source.records(skip)) records.push(record);
    return records;
  };
  const fieldsIn = async (source: Source, skip = 0) => (await all(source, skip)).map(({ fields }) => fields);

  describe('JSONL', () => {
    it('is one object per line, plain or gzipped, with any line end, BOM and empty lines', async () => {
      const text = '\uFEFF{"id":"ä"}\r\n\n{"id":"b"}\n{"id":"c"}';
      for (const content of [text, gzipSync(text)])
        expect(await all(jsonlSource(await file(content)))).toEqual([
          { fields: { id: 'ä' }, where: 'line 1' },
          { fields: { id: 'b' }, where: 'line 3' },
          { fields: { id: 'c' }, where: 'line 4' },
        ]);
    });

    it('goes on where it stood', async () =>
      expect(await fieldsIn(jsonlSource(await file('{"n":1}\n{"n":2}\n{"n":3}\n')), 2)).toEqual([{ n: 3 }]));

    it('tells of a line that is no object, and goes on', async () => {
      const records = await all(jsonlSource(await file('{"id":"a"}\n[1]\n{"id":\n{"id":"b"}\n')));
      expect(records.map(({ where, problem }) => [where, problem !== undefined])).toEqual([
        ['line 1', false],
        ['line 2', true],
        ['line 3', true],
        ['line 4', false],
      ]);
    });

    it('refuses a file whose first line is none', async () => {
      await expect(all(jsonlSource(await file('id,act\n1,2\n')))).rejects.toMatchObject({
        code: 'SOURCE_NOT_JSONL',
        message: expect.stringContaining('line 1'),
      });
      await expect(all(jsonlSource(await file('id,act\n{"id":1}\n')), 1)).rejects.toMatchObject({ code: 'SOURCE_NOT_JSONL' });
    });
  });

  describe('CSV', () => {
    const TEXT = 'id,name,note\n1,"a ""quoted"", one",x\n2,"two\nlines",y\n3,,z\n';

    it('is one record of strings per row', async () => {
      expect(await all(csvSource({ path: await file(TEXT) }, NOTHING))).toMatchObject([
        { fields: { id: '1', name: 'a "quoted", one', note: 'x' }, where: 'line 2' },
        { fields: { id: '2', name: 'two\nlines', note: 'y' } },
        { fields: { id: '3', name: '', note: 'z' } },
      ]);
    });

    it('renames columns', async () =>
      expect(await fieldsIn(csvSource({ path: await file('ID\n7\n'), columns: { ID: 'id' } }, { record: ['id'], row: [] }))).toEqual([
        { id: '7' },
      ]));

    it('refuses another header, naming what is missing but not what is there', async () => {
      await expect(all(csvSource({ path: await file(TEXT) }, { record: ['id', 'price'], row: [] }))).rejects.toMatchObject({
        code: 'SOURCE_HEADER',
        message: expect.stringMatching(/names 3 columns, but not 'price'(?!.*note)/s),
      });
      await expect(csvSource({ path: await file(TEXT), groupBy: 'invoice' }, { record: [], row: ['price'] }).total()).rejects.toMatchObject(
        { code: 'SOURCE_HEADER', message: expect.stringContaining(`'invoice', 'price'`) },
      );
      await expect(all(csvSource({ path: await file('') }, NOTHING))).rejects.toMatchObject({ code: 'SOURCE_HEADER' });
    });

    it('holds only so much of groups that are not complete, and says what to do', async () => {
      const note = 'x'.repeat(1000);
      const scattered = ['a', 'b', 'c', 'c', 'b', 'a'];
      const text = async (groups: readonly string[]) => file(`id,note\n${groups.map((id) => `${id},${note}\n`).join('')}`);
      const grouped = (path: string) => csvSource({ path, groupBy: 'id' }, NOTHING, 2500);
      await expect(all(grouped(await text(scattered)))).rejects.toMatchObject({
        name: 'SourceError',
        code: 'SOURCE_SCATTERED',
        message: expect.stringMatching(/line 4 .*3 groups.*Sort the file by 'id'/),
      });
      expect(await all(grouped(await text(scattered.toSorted())))).toHaveLength(3);
    });

    it('refuses a row with another number of columns, and an open quote, with the line', async () => {
      await expect(all(csvSource({ path: await file('a,b\n1,2\n3\n') }, NOTHING))).rejects.toMatchObject({
        code: 'SOURCE_ROW',
        message: expect.stringMatching(/line 3: the row has another number of columns/),
      });
      await expect(all(csvSource({ path: await file('a,b\n1,"2\n3,4\n') }, NOTHING))).rejects.toMatchObject({
        code: 'SOURCE_ROW',
        message: expect.stringContaining('never closed'),
      });
    });

    it('groups rows by a column, wherever they stand, each group once and complete', async () => {
      const source = csvSource({ path: await file('order,item\nA,1\nB,2\nA,3\nC,4\nB,5\n'), groupBy: 'order' }, NOTHING);
      expect(await source.total()).toBe(3);
      expect(await all(source)).toEqual([
        { fields: { order: 'A', rows: [{ item: '1' }, { item: '3' }] }, where: 'line 2' },
        { fields: { order: 'C', rows: [{ item: '4' }] }, where: 'line 5' },
        { fields: { order: 'B', rows: [{ item: '2' }, { item: '5' }] }, where: 'line 3' },
      ]);
      expect(await fieldsIn(source, 2)).toEqual([{ order: 'B', rows: [{ item: '2' }, { item: '5' }] }]);
    });

    it('groups as a database would, for any file and any place to go on from', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)), { maxLength: 30 }),
          fc.nat(4),
          async (rows, skip) => {
            const source = csvSource({ path: await file(`k,v\n${rows.map(([k, v]) => `${k},${v}\n`).join('')}`), groupBy: 'k' }, NOTHING);
            const expected = new Map<string, { v: string }[]>();
            for (const [k, v] of rows) expected.set(k, [...(expected.get(k) ?? []), { v: String(v) }]);
            const whole = await fieldsIn(source);
            expect(new Map(whole.map((fields) => [fields['k'], fields['rows']]))).toEqual(expected);
            expect(whole).toHaveLength(expected.size);
            expect(await fieldsIn(source, skip)).toEqual(whole.slice(skip));
          },
        ),
        { numRuns: 30 },
      );
    });
  });

  describe('quote nothing of what the file holds', () => {
    const SECRET = 'root:hunter2:0:0';
    it.each<[string, string, (path: string) => Source]>([
      ['a header', `${SECRET},b\n1,2\n`, (path) => csvSource({ path }, { record: ['id'], row: [] })],
      ['a row that is too short', `a,b\n${SECRET}\n`, (path) => csvSource({ path }, NOTHING)],
      ['a quote in a value', `a,b\n${SECRET}"x,1\n`, (path) => csvSource({ path }, NOTHING)],
      ['text after a quote', `a,b\n"1"${SECRET},1\n`, (path) => csvSource({ path }, NOTHING)],
      ['a quote left open', `a,b\n"${SECRET},1\n`, (path) => csvSource({ path }, NOTHING)],
      ['a line that is not JSON', `${SECRET}\n`, jsonlSource],
      ['a line that is no object', `"${SECRET}"\n`, jsonlSource],
    ])('%s', async (_, content, open) => {
      const refused: unknown = await all(open(await file(content))).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'SourceError', code: expect.stringMatching(/^SOURCE_(HEADER|ROW|NOT_JSONL)$/) });
      expect(inspect(refused)).not.toMatch(/hunter2|root/);
    });

    it('a later line', async () => {
      const [, broken] = await all(jsonlSource(await file(`{"id":"a"}\n${SECRET}\n`)));
      expect(broken?.problem).toBe('not JSON');
    });
  });

  describe.each([
    ['JSONL', '{"id":0}\n', (path: string) => jsonlSource(path)],
    ['CSV', 'id\n', (path: string) => csvSource({ path }, NOTHING)],
    ['grouped CSV', 'id\n', (path: string) => csvSource({ path, groupBy: 'id' }, NOTHING)],
  ])('%s refuses with a typed error', (_, first, open) => {
    it('a file that is not there', async () => {
      await expect(all(open(join(folder, 'nothing-here')))).rejects.toMatchObject({
        name: 'SourceError',
        code: 'SOURCE_MISSING',
        message: expect.stringContaining('nothing-here'),
      });
    });

    it('a folder', async () => {
      await expect(all(open(folder))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    });

    it('binary rubbish', async () => {
      for (const rubbish of [
        Buffer.from([0x80, 0xff, 0xfe, 0x00, 0x0a]),
        Buffer.from('{"id":"a\0b"}\n'),
        Buffer.from('id\n\xff\xfe\n', 'latin1'),
      ])
        await expect(all(open(await file(rubbish)))).rejects.toMatchObject({
          code: 'SOURCE_NOT_TEXT',
          message: expect.stringContaining('near line 1'),
        });
    });

    it('a gzip file that ends too early, and one that is damaged', async () => {
      const lines = Array.from({ length: 5000 }, (__, at) => `${at}`).join('\n');
      const zipped = gzipSync(`${first}${lines}`);
      await expect(all(open(await file(zipped.subarray(0, zipped.length - 40))))).rejects.toMatchObject({ code: 'SOURCE_TRUNCATED' });
      const damaged = Buffer.from(zipped);
      damaged.fill(0xaa, 20, 60);
      await expect(all(open(await file(damaged)))).rejects.toMatchObject({ code: 'SOURCE_CORRUPT' });
    });

    it('a line without end, without reading it into memory', { timeout: 60_000 }, async () => {
      const path = join(folder, 'endless');
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      await pipeline(
        Readable.from(
          (function* () {
            yield first;
            for (let mb = 0; mb < 128; mb++) yield chunk;
          })(),
        ),
        createWriteStream(path),
      );
      const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
      await expect(all(open(path))).rejects.toMatchObject({ code: 'SOURCE_LINE_TOO_LONG', message: expect.stringContaining('line 2') });
      expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(512 * 1024 * 1024);
    });
  });
});
