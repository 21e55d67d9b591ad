import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pipelinesIn, specOf, type PipelineSpec } from '@autoflow/pipeline';
import { bundleModule, type Bundle } from '../bundle.js';
import { hasherOf } from './function-hashes.js';

const modules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-hashes-'));
  await symlink(modules, join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two functions that share a constant and a table, each with a helper of its own, and one with a resource. */
const FILES = {
  'shared.ts': `
    export const RATE = [20];
    const codes = new Map<string, number>();
    codes.set('GB', 1);
    export const codeOf = (town: string) => codes.get(town) ?? 0;`,
  'tax.ts': `
    import { defineFunction } from '@autoflow/pipeline';
    import { z } from 'zod';
    import { RATE } from './shared.js';
    interface Rounding { readonly rounded: number }
    class Cents implements Rounding { #step = 1 as const; private n: number; constructor(n: number) { this.n = n; } get rounded(): number { return Math.round(this.n! / this.#step); } }
    const rounded = (n: number) => new Cents(n).rounded;
    const Priced = z.object({ price: z.number() });
    const Taxed = Priced.extend({ id: z.string() });
    export const tax = defineFunction('tax', {
      effect: 'pure', reads: Taxed, writes: z.object({ tax: z.number() }),
      handle: ({ price }) => ({ tax: rounded(price * RATE[0]!) }),
    });`,
  'ship.ts': `
    import { defineFunction, defineResource } from '@autoflow/pipeline';
    import { z } from 'zod';
    import { half } from 'tiny';
    import { codeOf, RATE } from './shared.js';
    const depot = defineResource({ name: 'depot', secrets: ['URL'], open: () => ({ town: 'Delft' }) });
    function far(town: string) { return codeOf(town) > half(0); }
    let limit = 3;
    export const ship = defineFunction('ship', {
      effect: 'read', uses: { depot }, reads: z.object({ town: z.string() }), writes: z.object({ far: z.boolean() }),
      handle: ({ town }, { depot: { town: own } }) => ({ far: town !== own && far(town) && RATE.length < limit }),
    });`,
  'node_modules/tiny/index.js': `
    import { one } from './one.js';
    import { two } from './two.js';
    let by = 2;
    export const set = (n) => { by = n; };
    export const half = (n) => (n + one) / (by + two);`,
  'node_modules/tiny/one.js': `export const one = 1, two = 1;`,
  'node_modules/tiny/two.js': `export const one = 2, two = 2;`,
  'node_modules/teeny/index.js': `export { set } from 'tiny';`,
  'unused.ts': `export const unused = [1, 2, 3];`,
  'pipeline.ts': `
    import { definePipeline } from '@autoflow/pipeline';
    import { z } from 'zod';
    import { tax } from './tax.js';
    import { ship } from './ship.js';
    export * from './ship.js';
    export const orders = definePipeline(
      'orders',
      { input: z.object({ id: z.string(), price: z.number(), town: z.string() }), key: 'id', output: z.object({ tax: z.number(), far: z.boolean() }) },
      (order) => ship(tax(order)),
    );`,
};
type File = keyof typeof FILES;
interface Hashes {
  readonly tax: string;
  readonly ship: string;
}
type Edit = readonly [file: File, from: string, to: string];

let builds = 0;
let specs: readonly PipelineSpec[] | undefined;
async function hashesAfter(...edits: readonly Edit[]): Promise<Hashes> {
  const place = join(folder, `${builds++}`);
  const files: Record<string, string> = { ...FILES };
  for (const [file, from, to] of edits) {
    expect(files[file]).toContain(from);
    files[file] = files[file]!.replace(from, to);
  }
  for (const name of ['tiny', 'teeny']) await mkdir(join(place, 'node_modules', name), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(place, file), text);
  const bundle = await bundleModule(join(place, 'pipeline.ts'));
  // Loading a bundle takes longer than all the rest: most edits leave the specification as it is.
  const respecified = edits.some(([, , to]) => to.includes('SPEC'));
  if (respecified) return (await hasherOf(bundle))(await specsOf(bundle, place))['orders'] as Hashes;
  specs ??= await specsOf(bundle, place);
  return (await hasherOf(bundle))(specs)['orders'] as Hashes;
}

async function specsOf({ code, sourceMap }: Bundle, place: string): Promise<PipelineSpec[]> {
  await writeFile(join(place, 'index.mjs'), code);
  await writeFile(join(place, 'index.mjs.map'), sourceMap);
  return pipelinesIn((await import(pathToFileURL(join(place, 'index.mjs')).href)) as object).map(specOf);
}

let before: Hashes;
beforeAll(async () => {
  before = await hashesAfter();
});
const changed = (after: Hashes) => (['tax', 'ship'] as const).filter((name) => after[name] !== before[name]);

it('differs from function to function', () => expect(before.tax).not.toBe(before.ship));

it.each<[string, readonly ('tax' | 'ship')[], Edit]>([
  ['its handler', ['tax'], ['tax.ts', 'price * RATE', '2 * price * RATE']],
  ['a helper that it uses', ['tax'], ['tax.ts', 'Math.round(', 'Math.ceil(']],
  ['a helper of a helper', ['ship'], ['shared.ts', '?? 0', '?? 2']],
  ['a constant that two share', ['tax', 'ship'], ['shared.ts', '[20]', '[21]']],
  ['a table that a statement fills', ['ship'], ['shared.ts', `codes.set('GB', 1)`, `codes.set('NL', 1)`]],
  ['a schema that it reads by', ['tax'], ['tax.ts', 'price: z.number()', 'price: z.number().min(0)']],
  ['its resource', ['ship'], ['ship.ts', `town: 'Delft'`, `town: 'Leiden'`]],
  ['the specification of its resource', ['ship'], ['ship.ts', `['URL']`, `['URL'], /* SPEC */ limit: { concurrency: 2 }`]],
  ['its own specification', ['tax'], ['tax.ts', `effect: 'pure',`, `effect: 'pure', /* SPEC */ timeoutMs: 7,`]],
  [
    'a variable that another function sets',
    ['ship'],
    ['ship.ts', 'let limit = 3;', 'let limit = 3; export const raise = () => { limit++; };'],
  ],
  ['a statement that changes its constant', ['tax', 'ship'], ['tax.ts', 'const rounded', 'RATE.push(1); const rounded']],
  ['what is global', ['tax', 'ship'], ['tax.ts', 'const rounded', '(globalThis as any).x = 1; const rounded']],
  ['a polyfill', ['tax', 'ship'], ['tax.ts', 'const rounded', `Object.defineProperty(Array.prototype, 'x', { value: 1 }); const rounded`]],
  [
    'a constant that another constant changes by the way',
    ['tax', 'ship'],
    ['ship.ts', 'let limit', 'export const n = RATE.push(1); let limit'],
  ],
  [
    'a statement that calls what changes its constant',
    ['tax', 'ship'],
    ['tax.ts', 'const rounded', 'grow(); function grow() { RATE.push(1); } const rounded'],
  ],
  ['a package that one of them uses', ['ship'], ['node_modules/tiny/index.js', 'by = 2', 'by = 4']],
  ['how another module sets up a package', ['ship'], ['tax.ts', 'interface', `import { set } from 'tiny'; set(3); interface`]],
  [
    'how another module sets it up through another package',
    ['ship'],
    ['tax.ts', 'interface', `import { set } from 'teeny'; set(3); interface`],
  ],
  ['how another module sets up a library', ['tax', 'ship'], ['ship.ts', 'let limit', 'z.config({ jitless: true }); let limit']],
  ['comments and white space', [], ['tax.ts', 'const rounded =', '/* to the cent */\n\n  const rounded  =']],
  ['the name of a variable', [], ['tax.ts', '({ price }) => ({ tax: rounded(price *', '({ price: cost }) => ({ tax: rounded(cost *']],
  ['the wiring around it', [], ['pipeline.ts', 'ship(tax(order))', '/* SPEC */ tax(ship(order))']],
  ['a name that collides with one of its own', [], ['ship.ts', 'let limit = 3;', 'let limit = 3; const rounded = 1;']],
])('%s changes %j', async (_, expected, edit) => {
  expect(changed(await hashesAfter(edit))).toEqual(expected);
});

it('tells apart which file of a package is which', async () => {
  const [one, two] = [FILES['node_modules/tiny/one.js'], FILES['node_modules/tiny/two.js']];
  expect(changed(await hashesAfter(['node_modules/tiny/one.js', one, two], ['node_modules/tiny/two.js', two, one]))).toEqual(['ship']);
});

it('is the same of the source and of what the compiler makes of it, as far as types are only taken out', async () => {
  const place = join(folder, 'compiled');
  for (const name of ['tiny', 'teeny']) await mkdir(join(place, 'node_modules', name), { recursive: true });
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  for (const [file, text] of Object.entries(FILES))
    await writeFile(
      join(place, file.replace('.ts', '.js')),
      file.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text,
    );
  await writeFile(join(place, 'package.json'), '{ "type": "module" }');
  const bundle = await bundleModule(join(place, 'pipeline.js'));
  expect(changed((await hasherOf(bundle))(specs!)['orders'] as Hashes)).toEqual([]);
});

it('is that of the whole bundle where a function cannot be told apart', async () => {
  const made: Edit = [
    'tax.ts',
    `export const tax = defineFunction('tax', {`,
    `const make = (name: string) => (options: any) => defineFunction(name, options); export const tax: any = make('tax')({`,
  ];
  const one = await hashesAfter(made);
  const other = await hashesAfter(made, ['ship.ts', 'limit = 3', 'limit = 4']);
  expect(one.tax).not.toBe(other.tax);
  expect(one.ship).not.toBe(other.ship);
});

it('is that of the whole bundle where code is made from text', async () => {
  const evil: Edit = ['tax.ts', 'Math.round(', `eval('Math.round')(`];
  const one = await hashesAfter(evil);
  const other = await hashesAfter(evil, ['ship.ts', 'limit = 3', 'limit = 4']);
  expect(one.tax).not.toBe(other.tax);
});
