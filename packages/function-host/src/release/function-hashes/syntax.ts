/** The syntax tree as far as it is looked at here: shapes of ESTree, walked without knowing every kind of node. */

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Calls with every node in a tree, the root first, the node that it lies in and the property. Bundles have some 100,000: nothing is allocated. */
export function walk(
  node: Node,
  visit: (node: Node, parent: Node | undefined, property: string) => void,
  parent?: Node,
  property = '',
): void {
  visit(node, parent, property);
  for (const key in node) {
    const value = node[key];
    if (typeof value !== 'object' || value === null) continue;
    if (isNode(value)) walk(value, visit, node, key);
    else if (Array.isArray(value)) for (const each of value as readonly unknown[]) if (isNode(each)) walk(each, visit, node, key);
  }
}

const LABELS = ['LabeledStatement', 'BreakStatement', 'ContinueStatement', 'MetaProperty', 'ExportSpecifier', 'ImportSpecifier'];

/** An identifier that stands for itself (`.name`, `name:`, a label), and not for what is bound to it. */
export function isPlainName(parent: Node | undefined, property: string): boolean {
  if (parent === undefined) return false;
  if (LABELS.includes(parent.type)) return true;
  if (parent['computed'] === true) return false;
  return parent.type === 'MemberExpression'
    ? property === 'property'
    : ['Property', 'MethodDefinition', 'PropertyDefinition'].includes(parent.type) && property === 'key';
}

export const nameOf = (node: Node): string => node['name'] as string;

/** Names that a pattern binds or assigns: `a`, `{ a, b: [c] }`, `a = 1`, `...a`. What is computed in it is none. */
export function namesInPattern(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [nameOf(pattern)];
    case 'ObjectPattern':
      return (pattern['properties'] as Node[]).flatMap((each) =>
        namesInPattern((each.type === 'RestElement' ? each['argument'] : each['value']) as Node),
      );
    case 'ArrayPattern':
      return (pattern['elements'] as (Node | null)[]).flatMap((each) => (each === null ? [] : namesInPattern(each)));
    case 'AssignmentPattern':
      return namesInPattern(pattern['left'] as Node);
    case 'RestElement':
      return namesInPattern(pattern['argument'] as Node);
    default:
      return [];
  }
}

/** Names that a node itself declares, for what lies in it or beside it. */
export function declaredBy(node: Node): string[] {
  const id = node['id'] as Node | null | undefined;
  const params = (node['params'] as Node[] | undefined)?.flatMap(namesInPattern) ?? [];
  if (node.type === 'VariableDeclarator') return namesInPattern(id!);
  if (node.type === 'CatchClause') return isNode(node['param']) ? namesInPattern(node['param']) : [];
  if (/^(Function|Class)/.test(node.type) || node.type === 'ArrowFunctionExpression') return [...(id ? [nameOf(id)] : []), ...params];
  return [];
}

/** Names that a node itself assigns: `a = 1`, `[a] = b`, `a++`, `for (a of b)`. */
export function assignedBy(node: Node): string[] {
  if (node.type === 'AssignmentExpression') return namesInPattern(node['left'] as Node);
  if (node.type === 'UpdateExpression') return namesInPattern(node['argument'] as Node);
  if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') return namesInPattern(node['left'] as Node);
  return [];
}
