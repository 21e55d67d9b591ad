import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeGyp, onPath, run } from './commands.mjs';
import { cache, packageFolder, packageVersion, stamps } from './folders.mjs';
import { exclusively } from './lock.mjs';
import { say, step } from './progress.mjs';

const PACKAGE = '@tensorflow/tfjs-node';
const LIBRARY = 'tensorflow-cpu==2.12.1';
const LIBRARY_SHA256 = '7ffb595707a8fb376deaddc768784c7a0242b16cbc6e06393b1733b2ce19f855';
const libraryFolder = join(cache, 'tensorflow-cpu-2.12.1');
const OFFICIAL = 'https://storage.googleapis.com/tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz';

/**
 * The native tensor backend. Nothing fails without it: `@autoflow/learning` then uses WebAssembly and says so. What
 * was found out is kept until the packages are installed anew; `npm run setup -- --only tensorflow` tries again.
 */
export const tensorflow = {
  done: () => stamps.read('tensorflow') !== undefined,
  /** What needs no npm package, so that it can run beside their installation. */
  async prepare() {
    if (unsupported() === undefined && !existsSync(libraryFolder) && !(await officialAnswers()))
      await fetchLibrary().catch(() => undefined);
  },
  async run() {
    const why = [];
    for (const [name, provide] of [
      ['its own install script', installOfficially],
      ['the tensorflow-cpu wheel', buildOnWheel],
    ]) {
      const failure = await provide().then(
        () => undefined,
        (error) => error.message,
      );
      if (failure === undefined) return stamps.write('tensorflow', `native: ${name}\n`);
      why.push(`- ${name}: ${failure}`);
    }
    say(`the native tensor library could not be had; WebAssembly is used instead (about 3 times slower):\n${why.join('\n')}`);
    stamps.write('tensorflow', `wasm:\n${why.join('\n')}\n`);
  },
};

async function installOfficially() {
  if (!(await officialAnswers())) throw new Error(`${new URL(OFFICIAL).host} does not give libtensorflow away`);
  await step('installing the tensor library', () =>
    run(process.execPath, ['scripts/install.js'], { cwd: packageFolder(PACKAGE), timeoutMs: 300_000, env: { PATH: pathWithPackages() } }),
  );
  await load();
}

/** It has answered 403 for years now, but may work again. */
async function officialAnswers() {
  const answer = await fetch(OFFICIAL, { method: 'HEAD', signal: AbortSignal.timeout(4000) }).catch(() => undefined);
  return answer?.ok === true;
}

async function buildOnWheel() {
  const missing = unsupported();
  if (missing) throw new Error(missing);
  await fetchLibrary();
  linkLibrary();
  await step('compiling the tensor binding', compileBinding);
  await load();
}

function unsupported() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `is for linux-x64, this is ${process.platform}-${process.arch}`;
  if (!onPath('python3')) return 'needs python3 with pip, which is not on PATH';
  if (!onPath('c++', 'g++', 'clang++') || !onPath('make')) return 'needs a C++ compiler and make';
  if (!nodeGyp()) return 'needs npm, whose node-gyp compiles the binding';
  return undefined;
}

/** Keeps the two libraries and the headers of the wheel, whose hash is pinned. */
function fetchLibrary() {
  return exclusively('tensorflow', async () => {
    if (existsSync(libraryFolder)) return;
    await step('downloading the tensor library (232 MB, once for this user)', async () => {
      const scratch = `${libraryFolder}.${process.pid}`;
      mkdirSync(join(scratch, 'wheel'), { recursive: true });
      try {
        writeFileSync(join(scratch, 'wheel', 'requirements.txt'), `${LIBRARY} --hash=sha256:${LIBRARY_SHA256}\n`);
        await run('python3', PIP_DOWNLOAD, { cwd: join(scratch, 'wheel'), timeoutMs: 900_000 });
        await run('python3', ['-c', UNPACK], { cwd: scratch });
        rmSync(join(scratch, 'wheel'), { recursive: true });
        renameSync(scratch, libraryFolder);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    });
  });
}

const PIP_DOWNLOAD = [
  ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '-r', 'requirements.txt'],
  ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
  ...['--platform', 'manylinux2014_x86_64', '--platform', 'manylinux_2_17_x86_64'],
];

const UNPACK = `
import glob, zipfile
with zipfile.ZipFile(glob.glob('wheel/*.whl')[0]) as wheel:
    wheel.extractall('.', [name for name in wheel.namelist() if name.startswith((
        'tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/include/tensorflow/'))])
`;

/** Where the binding looks for them, under the names that the linker and the loader use. */
function linkLibrary() {
  const deps = join(packageFolder(PACKAGE), 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  mkdirSync(join(deps, 'include'));
  const native = join(libraryFolder, 'tensorflow');
  for (const [target, ...names] of [
    ['libtensorflow_cc.so.2', 'libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ])
    for (const name of names) symlinkSync(join(native, target), join(deps, 'lib', name));
  symlinkSync(join(native, 'include', 'tensorflow'), join(deps, 'include', 'tensorflow'));
}

async function compileBinding() {
  const folder = packageFolder(PACKAGE);
  const target = join(folder, 'lib', 'napi-v8');
  const prefix = dirname(dirname(process.execPath));
  const [command, ...before] = nodeGyp();
  await run(
    command,
    [
      ...before,
      'rebuild',
      ...(existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : []),
      ...[`--module=${join(target, 'tfjs_binding.node')}`, '--module_name=tfjs_binding', `--module_path=${target}`],
      ...['--napi_version=9', '--napi_build_version=8', '--node_napi_label=napi-v8'],
    ],
    { cwd: folder, timeoutMs: 600_000 },
  );
}

/** In a process of its own: a library that does not fit this machine may end the process. */
async function load() {
  const file = bindings().find(existsSync);
  if (file === undefined) throw new Error(`no binding was built for ${PACKAGE} ${packageVersion(PACKAGE)}`);
  await run(process.execPath, ['-e', `require(${JSON.stringify(file)})`], { timeoutMs: 60_000 });
}

function bindings() {
  const lib = join(packageFolder(PACKAGE), 'lib');
  return existsSync(lib) ? readdirSync(lib).map((folder) => join(lib, folder, 'tfjs_binding.node')) : [];
}

function pathWithPackages() {
  return `${packageFolder('.bin')}:${process.env.PATH ?? ''}`;
}
