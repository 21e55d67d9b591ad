import { fileURLToPath } from 'node:url';
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, test } from 'vitest';
import plugin from './index.js';

const folder = fileURLToPath(new URL('../..', import.meta.url));
/** A file of the project whose text is replaced: the parser takes types from the program that the file belongs to. */
const filename = fileURLToPath(new URL('../join.ts', import.meta.url));
const linter = new Linter({ cwd: folder });

const REPORTED = [
  ['invoice === isSale(invoice)', 'compared'],
  ['null !== invoice', 'compared'],
  ["invoice == 'x'", 'compared'],
  ['isSale(invoice) != invoice', 'compared'],
  ['perhaps === undefined', 'compared'],
  ["'country' in invoice", 'compared'],
  ['switch (invoice) { case undefined: }', 'compared'],
  ['if (isSale(invoice)) findCurrency(invoice)', 'condition'],
  ['!invoice', 'condition'],
  ['invoice && findCurrency(invoice)', 'condition'],
  ['perhaps || invoice', 'condition'],
  ['perhaps ?? invoice', 'condition'],
  ['let r = perhaps; r ??= invoice', 'condition'],
  ['const r = invoice ? 1 : 2', 'condition'],
  ['while (invoice) {}', 'condition'],
  ['do {} while (invoice)', 'condition'],
  ['for (; invoice; ) {}', 'condition'],
] as const;
const ALLOWED = [
  "plain.country === 'France'",
  'if (plain.customerId) findCurrency(invoice)',
  'const sale = isSale(invoice), rated = findCurrency(sale)',
  'plain.customerId ?? plain.country',
];

/** Linted in one go, a line each, because the types of the whole package are computed for it. */
const lines = [...REPORTED.map(([code]) => code), ...ALLOWED];
const text = `
  import { isSale, findCurrency, retailOrders } from './type-tests/retail.js';
  import type { InputOf, Rec } from './index.js';
  type Invoice = InputOf<typeof retailOrders>;
  declare const invoice: Rec<readonly ['retail-orders'], Invoice, { [K in keyof Invoice]: 'input' }>;
  declare const perhaps: typeof invoice | undefined;
  declare const plain: Invoice;
${lines.map((code) => `void (() => { ${code} });`).join('\n')}`;
const firstLine = text.split('\n').length - lines.length + 1;
const config = {
  files: ['**/*.ts'],
  languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: folder } },
  plugins: { autoflow: plugin },
  rules: { 'autoflow/no-symbolic-comparison': 'error' },
};
const said = linter.verify(text, [config as never], { filename });

test.each(REPORTED)('%s', (code, messageId) => {
  expect(said.filter(({ line }) => line === firstLine + lines.indexOf(code)).map((found) => found.messageId ?? found.message)).toEqual([
    messageId,
  ]);
});

test('nothing else is reported', () => {
  expect(said.filter(({ line }) => line < firstLine || line >= firstLine + REPORTED.length)).toEqual([]);
});

test('without types it says what to set', () => {
  const untyped = { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser }, ...plugin.configs.recommended };
  expect(() => linter.verify('!1', [untyped as never], { filename })).toThrow('no-symbolic-comparison needs types');
});
