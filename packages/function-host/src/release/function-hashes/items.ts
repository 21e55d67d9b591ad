/** A bundle in the pieces that load one after the other: declarations, each name by itself, and statements. */
import { assignedBy, declaredBy, isPlainName, nameOf, namesInPattern, walk, type Node } from './syntax.js';

export interface Item {
  readonly index: number;
  readonly node: Node;
  readonly kind: 'declaration' | 'statement' | 'import';
  /** Names of the bundle's top level that it binds. */
  readonly declares: readonly string[];
  /** All names that it mentions, and that it does not declare within itself. */
  readonly mentions: ReadonlySet<string>;
  /** Names that it assigns, wherever in it. */
  readonly assigns: ReadonlySet<string>;
  /** Names that it declares within itself. */
  readonly locals: ReadonlySet<string>;
}

export function itemsOf(program: Node): Item[] {
  return (program['body'] as Node[]).flatMap(piecesOf).map((piece, index) => ({ ...piece, index, ...namesOf(piece.node, piece.declares) }));
}

type Piece = Pick<Item, 'node' | 'kind' | 'declares'>;

/** `var a = 1, b = 2` and `f(), g()` are as many pieces as the author wrote: the bundler has put them together. */
function piecesOf(statement: Node): Piece[] {
  switch (statement.type) {
    case 'VariableDeclaration':
      return (statement['declarations'] as Node[]).map((node) => ({
        node,
        kind: 'declaration',
        declares: namesInPattern(node['id'] as Node),
      }));
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return [{ node: statement, kind: 'declaration', declares: [nameOf(statement['id'] as Node)] }];
    case 'ImportDeclaration':
      return importsOf(statement);
    case 'ExpressionStatement': {
      const expression = statement['expression'] as Node;
      const parts = expression.type === 'SequenceExpression' ? (expression['expressions'] as Node[]) : [expression];
      return parts.map((node) => ({ node, kind: 'statement', declares: [] }));
    }
    case 'ExportNamedDeclaration':
      // The bundler exports by `export { … }`: names only.
      return statement['declaration'] ? [{ node: statement, kind: 'statement', declares: [] }] : [];
    default:
      return [{ node: statement, kind: 'statement', declares: [] }];
  }
}

/** One that imports nothing is there for its effects. */
function importsOf(statement: Node): Piece[] {
  const { start, end } = statement;
  const source = (statement['source'] as Node)['value'];
  const specifiers = statement['specifiers'] as Node[];
  if (specifiers.length === 0) return [{ node: statement, kind: 'statement', declares: [] }];
  return specifiers.map((specifier) => {
    const imported = specifier['imported'] as Node | undefined;
    const name = imported === undefined ? specifier.type : (imported['name'] ?? imported['value']);
    return { node: { type: 'Import', start, end, source, name }, kind: 'import', declares: [nameOf(specifier['local'] as Node)] };
  });
}

function namesOf(root: Node, declares: readonly string[]): Pick<Item, 'mentions' | 'assigns' | 'locals'> {
  const mentions = new Set<string>();
  const assigns = new Set<string>();
  const locals = new Set<string>();
  walk(root, (node, parent, property) => {
    if (node.type === 'Identifier' && !isPlainName(parent, property)) mentions.add(nameOf(node));
    for (const name of declaredBy(node)) locals.add(name);
    for (const name of assignedBy(node)) assigns.add(name);
  });
  // The bundler renames what would hide a name of the top level, so a name means one thing within an item.
  for (const name of declares) locals.delete(name);
  for (const name of locals) mentions.delete(name);
  return { mentions, assigns, locals };
}
