/** Which pieces of a bundle do something when they load, beyond binding their own name. When in doubt, they do. */
import type { Item } from './items.js';
import { isNode, nameOf, walk, type Node } from './syntax.js';

/** What is known of names: the code of zod and of our own definitions does nothing to what it is given. */
export interface Known {
  /** Declared by a library that is known to have no effects when it is called. */
  isLibrary(name: string): boolean;
  /** The item that declares the name at the top level. */
  declaring(name: string): Item | undefined;
}

/** Methods of libraries that do have effects. */
const IMPURE = /^(config|register|meta|setErrorMap|add|set|push|clear|remove|parse|parseAsync|safeParse)$/;
const PURE_CONSTRUCTORS = [
  'Set',
  'Map',
  'WeakMap',
  'WeakSet',
  'Date',
  'RegExp',
  'URL',
  'TextEncoder',
  'TextDecoder',
  'Uint8Array',
  'Error',
];
const PURE_FUNCTIONS = ['BigInt', 'Symbol', 'Number', 'String', 'Boolean'];
const PURE_OF_OBJECT = ['keys', 'values', 'entries', 'fromEntries'];

export function hasEffect(item: Item, known: Known): boolean {
  switch (item.kind) {
    case 'import':
      return false;
    case 'statement':
      return !isPure(item.node, known);
    case 'declaration': {
      const { type } = item.node;
      if (type === 'FunctionDeclaration') return false;
      const init = type === 'VariableDeclarator' ? (item.node['init'] as Node | null) : item.node;
      const id = item.node['id'] as Node;
      // A pattern calls getters and iterators, and may hold default values.
      return (init !== null && !isPure(init, known)) || (type === 'VariableDeclarator' && id.type !== 'Identifier' && init !== null);
    }
  }
}

/** Changes something that any code may see: `globalThis.x = …`, `Object.defineProperty(Array.prototype, …)`, `import 'polyfill'`. */
export function touchesGlobals(item: Item, known: Known): boolean {
  if (item.kind === 'statement' && item.node.type === 'ImportDeclaration') return true;
  const isGlobal = (node: Node | undefined) =>
    node !== undefined && known.declaring(nameOf(node)) === undefined && !item.locals.has(nameOf(node)) && !known.isLibrary(nameOf(node));
  let found = false;
  walk(item.node, (node) => {
    const target =
      node.type === 'AssignmentExpression'
        ? (node['left'] as Node)
        : node.type === 'UpdateExpression' || (node.type === 'UnaryExpression' && node['operator'] === 'delete')
          ? (node['argument'] as Node)
          : item.kind === 'statement' && node.type === 'CallExpression'
            ? (node['callee'] as Node)
            : undefined;
    if (target !== undefined && isGlobal(rootOf(target))) found = true;
  });
  return found;
}

/** Whether a call of a library in it is one that has effects. */
export function callsImpure(item: Item): boolean {
  let found = false;
  walk(item.node, (node) => {
    if (node.type !== 'CallExpression') return;
    const callee = node['callee'] as Node;
    const name = callee.type === 'MemberExpression' ? (callee['property'] as Node) : callee;
    if (name.type === 'Identifier' && IMPURE.test(nameOf(name))) found = true;
  });
  return found;
}

/** The identifier that a chain of members begins with. */
function rootOf(node: Node): Node | undefined {
  if (node.type === 'Identifier') return node;
  const next = node['object'] ?? node['expression'];
  return isNode(next) ? rootOf(next) : undefined;
}

function isPure(node: Node, known: Known): boolean {
  const pure = (each: unknown): boolean => !isNode(each) || isPure(each, known);
  const all = (property: string): boolean => (node[property] as unknown[]).every(pure);
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'MetaProperty':
    case 'EmptyStatement':
      return true;
    case 'TemplateLiteral':
      return all('expressions');
    case 'UnaryExpression':
      return node['operator'] !== 'delete' && pure(node['argument']);
    case 'SpreadElement':
    case 'ChainExpression':
    case 'ParenthesizedExpression':
      return pure(node['argument'] ?? node['expression']);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return pure(node['left']) && pure(node['right']);
    case 'ConditionalExpression':
      return pure(node['test']) && pure(node['consequent']) && pure(node['alternate']);
    case 'SequenceExpression':
      return all('expressions');
    case 'ArrayExpression':
      return all('elements');
    case 'ObjectExpression':
      return all('properties');
    case 'Property':
      return (node['computed'] !== true || pure(node['key'])) && pure(node['value']);
    case 'MemberExpression':
      return pure(node['object']) && (node['computed'] !== true || pure(node['property']));
    case 'ClassExpression':
    case 'ClassDeclaration':
      return pure(node['superClass']) && ((node['body'] as Node)['body'] as Node[]).every((member) => isPureMember(member, known));
    case 'CallExpression':
    case 'NewExpression':
      return mayBeCalled(node, known) && all('arguments');
    default:
      return false;
  }
}

function isPureMember(member: Node, known: Known): boolean {
  if (member.type === 'StaticBlock') return false;
  const isKeyPure = member['computed'] !== true || isPure(member['key'] as Node, known);
  const value = member['value'];
  return isKeyPure && (member['static'] !== true || !isNode(value) || isPure(value, known));
}

/** Whether calling what is called here has no effect, whatever is given. */
function mayBeCalled(call: Node, known: Known): boolean {
  const callee = call['callee'] as Node;
  if (callee.type === 'Identifier') {
    const name = nameOf(callee);
    if (known.isLibrary(name)) return !IMPURE.test(name);
    if (known.declaring(name) !== undefined) return false;
    return call.type === 'NewExpression' ? PURE_CONSTRUCTORS.includes(name) : PURE_FUNCTIONS.includes(name);
  }
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return false;
  const object = callee['object'] as Node;
  const method = nameOf(callee['property'] as Node);
  if (object.type === 'Identifier' && nameOf(object) === 'Object' && known.declaring('Object') === undefined)
    return PURE_OF_OBJECT.includes(method);
  return !IMPURE.test(method) && isOfLibrary(object, known, new Set());
}

/** `z`, `z.coerce`, `z.object(…)`, and a constant that is such: schemas are values, their methods answer new ones. */
function isOfLibrary(node: Node, known: Known, seen: Set<string>): boolean {
  switch (node.type) {
    case 'MemberExpression':
      return isOfLibrary(node['object'] as Node, known, seen);
    case 'CallExpression':
    case 'NewExpression':
      return isOfLibrary(node['callee'] as Node, known, seen);
    case 'Identifier': {
      const name = nameOf(node);
      if (known.isLibrary(name)) return true;
      if (seen.has(name)) return false;
      seen.add(name);
      const declaration = known.declaring(name)?.node;
      const init = declaration?.type === 'VariableDeclarator' && declaration['init'];
      return isNode(init) && /^(Call|New)Expression$/.test(init.type) && isOfLibrary(init, known, seen);
    }
    default:
      return false;
  }
}
