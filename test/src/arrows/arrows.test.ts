import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf } from './imports.js';
import { breaches } from './rules.js';
import { loadedBy, readWorkspace, type Member } from './workspace.js';

const members = readWorkspace(fileURLToPath(new URL('../../..', import.meta.url)));

/** The workspace with one more file, as if somebody had written it. */
function withFile(folder: string, path: string, text: string): Member[] {
  return members.map((member) =>
    member.folder === folder ? { ...member, files: [...member.files, { path, imports: importsOf(path, text) }] } : member,
  );
}
function filesOf(name: string): string[] {
  return members.find((member) => member.name === name)?.files.map(({ path }) => path) ?? [];
}
function exported(name: string, subpath: string): string {
  const file = members.find((member) => member.name === name)?.exports.get(subpath);
  if (file === undefined || !filesOf(name).includes(file)) throw new Error(`${name} has no source for ${subpath}`);
  return file;
}

describe('the arrows of the layout', () => {
  it('point the right way everywhere', () => {
    expect(members.length).toBeGreaterThan(10);
    expect(breaches(members)).toEqual([]);
  });

  it.each([
    ['packages/client', "import { createStore } from '@autoflow/store';", '@autoflow/client must not know @autoflow/store'],
    ['packages/client', "import type { Store } from '@autoflow/store';", '@autoflow/client must not know @autoflow/store'],
    ['packages/topology', "export * from '@autoflow/twin';", '@autoflow/topology must not know @autoflow/twin'],
    ['packages/topology', "import { hash } from 'node:crypto';", 'the package is pure'],
    [
      'packages/workflows',
      "type Host = import('@autoflow/function-host').FunctionHost;",
      '@autoflow/workflows must not know @autoflow/function-host',
    ],
    ['packages/store', "await import('@autoflow/control-plane');", '@autoflow/store must not know @autoflow/control-plane'],
    ['packages/store', "import '../../twin/src/cost.js';", 'a relative import must stay in its package'],
    ['packages/store', "import '@autoflow/twin/src/cost.js';", 'nobody imports past an index'],
    ['apps/control-plane', "import '@autoflow/cli';", '@autoflow/control-plane must not know @autoflow/cli'],
  ])('of %s do not allow %s', (folder, text, why) => {
    const path = `${folder}/src/new.ts`;
    expect(breaches(withFile(folder, path, text)).filter((breach) => breach.startsWith(path))).toEqual([expect.stringContaining(why)]);
  });
});

describe('execution worlds', () => {
  const chainsTo = (entry: string, forbidden: RegExp, workspace = members): string[] =>
    [...loadedBy(workspace, entry)].filter(([module]) => forbidden.test(module)).map(([, chain]) => chain.join(' → '));
  const outsideSandbox = /^node:|^@temporalio\/(worker|activity|client|testing)|^pg$|^@tensorflow\//;

  it('the workflow sandbox loads no Node module and no handler', () => {
    const sandbox = filesOf('@autoflow/workflows').filter((path) => !/\/(bundle[^/]*|payload-codec|runs)\.ts$|\.test\.ts$/.test(path));
    expect(sandbox).toContain('packages/workflows/src/workflows.ts');
    expect(sandbox.flatMap((entry) => chainsTo(entry, outsideSandbox))).toEqual([]);
  });

  it('the protocol that the sandbox shares with the host loads nothing at all', () => {
    expect(chainsTo(exported('@autoflow/topology', './execution'), /./)).toEqual([]);
  });

  it('a Node module behind three imports would be found', () => {
    const entry = 'packages/workflows/src/new.ts';
    expect(
      chainsTo(entry, outsideSandbox, withFile('packages/workflows', entry, "import { hashTopology } from '@autoflow/topology';")),
    ).toContainEqual(
      expect.stringMatching(/^packages\/workflows\/src\/new\.ts → packages\/topology\/src\/index\.ts → .*hash\.ts → node:crypto$/),
    );
  });

  it.each(['@autoflow/pipeline', '@autoflow/topology', '@autoflow/client'])('%s, which a user imports, loads no tensor library', (name) => {
    const member = members.find((one) => one.name === name);
    expect(member?.dependencies.filter((dependency) => dependency.startsWith('@tensorflow/'))).toEqual([]);
    for (const entry of member?.exports.values() ?? []) expect(chainsTo(entry, /^@tensorflow\//)).toEqual([]);
  });
});
