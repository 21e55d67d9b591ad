import { target, type Member } from './workspace.js';

const packages = [
  'pipeline',
  'topology',
  'twin',
  'optimizer',
  'experiment',
  'learning',
  'store',
  'workflows',
  'function-host',
  'worker',
  'client',
  'telemetry',
];

/** Who may import whom, by the part after the scope; what is not listed is forbidden. Types count: an arrow is an arrow. */
export const ARROWS: { readonly [member: string]: readonly string[] } = {
  pipeline: [],
  experiment: ['topology'],
  topology: ['pipeline'],
  twin: ['topology', 'pipeline'],
  optimizer: ['twin', 'topology', 'pipeline'],
  learning: ['optimizer', 'twin', 'topology', 'pipeline'],
  store: ['twin', 'topology', 'pipeline'],
  workflows: ['topology', 'pipeline'],
  'function-host': ['store', 'twin', 'topology', 'pipeline'],
  client: ['topology', 'pipeline'],
  telemetry: [],
  http: ['client', 'store', 'telemetry', 'workflows', 'topology', 'pipeline'],
  worker: packages.filter((name) => name !== 'worker' && name !== 'client'),
  'local-stack': [],
  'retail-orders': packages,
  'worker-app': packages,
  'control-plane': [...packages, 'http'],
  ingest: [...packages, 'http'],
  dashboard: packages,
  cli: [...packages, 'retail-orders', 'control-plane', 'ingest', 'worker-app', 'local-stack'],
  test: [...packages, 'retail-orders', 'control-plane', 'worker-app', 'cli', 'ingest', 'local-stack'],
};

/** What a unit test may import besides: the stack that it runs against. */
const TEST_ARROWS = ['local-stack'];
/** Pure packages: the one file that needs Node, for SHA-256. */
const NODE_ALLOWED_IN_PURE = ['packages/topology/src/hash.ts'];
const PURE = ['pipeline', 'topology', 'twin', 'optimizer', 'experiment'];

/** Every breach of the layout, in words; empty: all arrows point the right way. */
export function breaches(members: readonly Member[]): string[] {
  return members.flatMap((member) => [...declared(member), ...imported(members, member)]);
}

function declared(member: Member): string[] {
  const allowed = [...allowedFor(member), ...TEST_ARROWS];
  return member.dependencies
    .filter((name) => name.startsWith('@autoflow/') && !allowed.includes(short(name)))
    .map((name) => `${member.folder}/package.json depends on ${name}`);
}

function imported(members: readonly Member[], member: Member): string[] {
  return member.files.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) => {
      const isTest = /\.test(ing)?\.tsx?$|\/testing\//.test(path);
      const { file, member: other, module } = target(members, path, specifier);
      const breach = (why: string): string[] => [`${path} imports ${specifier}: ${why}`];
      if (module?.startsWith('node:') && PURE.includes(short(member.name)) && !isTest && !NODE_ALLOWED_IN_PURE.includes(path))
        return breach('the package is pure');
      if (module !== undefined) return [];
      if (file === undefined) return breach(`${other?.name ?? ''} does not export that; nobody imports past an index`);
      if (other === undefined) return file.startsWith(`${member.folder}/`) ? [] : breach('a relative import must stay in its package');
      const allowed = isTest ? [...allowedFor(member), ...TEST_ARROWS] : allowedFor(member);
      return other === member || allowed.includes(short(other.name)) ? [] : breach(`${member.name} must not know ${other.name}`);
    }),
  );
}

function allowedFor({ name, folder }: Member): readonly string[] {
  const arrows = ARROWS[short(name)];
  if (!arrows) throw new Error(`${folder} is new: give it its arrows in ARROWS.`);
  return arrows;
}

function short(name: string): string {
  return name.replace('@autoflow/', '');
}
