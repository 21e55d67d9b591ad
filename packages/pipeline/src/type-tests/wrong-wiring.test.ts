import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** What the compiler must say of each wiring of wrong-wiring.ts: one error, with this text. A test that pins no message proves nothing. */
const MESSAGES: readonly string[] = [
  "Property 'currency' is missing",
  "Types of property 'country'",
  "field 'currency' is already written",
  '["retail-orders", "lines"]\' is not assignable',
  '"other-pipeline"\' is not assignable',
  "both branches write field 'currency'",
  'a reduce closes an expand',
  'missing the following properties',
  "Property 'country' does not exist on type 'Rec<",
  "does not exist in type 'Rec<",
  "both branches write field 'currency'",
  "Property 'invoiceNo' does not exist",
  "Types of property 'n'",
  "Type '{}' is not assignable",
  "to type 'never'",
  "to type 'never'",
  "Property 'db' does not exist",
  "Property 'keys' does not exist",
  "Types of property 'handleBatch'",
  "Property 'handleBatch' is missing",
  'every field of a record must be JSON',
  "Type 'string' is not assignable to type 'TerminalError",
  'read-only property',
  "'Resource<Rates>' is not assignable to type 'undefined'",
  '"category"\' is not assignable to type \'"amount"',
  "Property 'n' is missing",
  "Property 'currency' is missing",
  '"invoiceNo"\' is not assignable to type \'"country"',
  '["p", "lines"]\' is not assignable',
  "Type 'void' is not assignable to type 'Rec<",
  '"tags"\' is not assignable to type \'"country"',
  '"id"\' is not assignable to type \'"country"',
  '\'"PASSWORD"\' is not assignable to parameter of type \'"URL" | "TOKEN"',
  "to parameter of type 'never'",
  "Property 'end' does not exist",
  "to type 'never'",
  "Property 'now' does not exist",
  'read-only property',
  "Type 'number' is not assignable to type 'Promise<",
];

test('every wrong wiring is refused, for the right reason, and everything else compiles', () => {
  const file = fileURLToPath(new URL('wrong-wiring.ts', import.meta.url));
  const text = readFileSync(file, 'utf8');
  const said = diagnosticsOf(file, text.replaceAll('@ts-expect-error', ''));
  const numbers = numbersByLine(text);

  const elsewhere = [...said].filter(([line]) => !numbers.has(line));
  expect(elsewhere).toEqual([]);
  expect([...numbers.values()]).toEqual(MESSAGES.map((_, i) => i + 1));
  for (const [line, number] of numbers) {
    expect(said.get(line), `wiring ${number}`).toHaveLength(1);
    expect(said.get(line)?.[0], `wiring ${number}`).toContain(MESSAGES[number - 1]);
  }
});

/** Line below each directive → its number. */
function numbersByLine(text: string): Map<number, number> {
  return new Map(
    text
      .split('\n')
      .flatMap((line, i) =>
        [...(/^\/\/ @ts-expect-error (\d+):/.exec(line)?.slice(1) ?? [])].map((number): [number, number] => [i + 1, Number(number)]),
      ),
  );
}

/** Line → messages. */
function diagnosticsOf(file: string, text: string): Map<number, string[]> {
  const tsconfig = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(tsconfig, ts.sys.readFile).config,
    ts.sys,
    fileURLToPath(new URL('../..', import.meta.url)),
  );
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    noErrorTruncation: true,
  };
  delete settings.tsBuildInfoFile;
  const host = ts.createCompilerHost(settings);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, rest[0]) : getSourceFile.call(host, name, ...rest);
  const found = new Map<number, string[]>();
  for (const { file: at, start = 0, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([file], settings, host))) {
    const line = at?.fileName === file ? at.getLineAndCharacterOfPosition(start).line : -1;
    found.set(line, [...(found.get(line) ?? []), ts.flattenDiagnosticMessageText(messageText, '\n')]);
  }
  return found;
}
