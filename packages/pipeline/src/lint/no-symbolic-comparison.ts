import type { EstreeNode, LintContext, LintRule, TypeInfo } from './lint-types.js';

const COMPARISONS: ReadonlySet<string> = new Set(['===', '!==', '==', '!=', '<', '>', '<=', '>=', 'in', 'instanceof']);

/**
 * Reports what cannot be trapped when a pipeline is defined: a symbolic record that is compared, or used as a condition. It is an object,
 * so `===` is always false and a condition always true, whatever the records hold. Needs type information (typescript-eslint).
 */
export const noSymbolicComparison: LintRule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow comparing a symbolic record of an AutoFlow pipeline, or using it as a condition' },
    schema: [],
    messages: {
      compared:
        "A symbolic record stands for every record: '{{operator}}' compares nothing of theirs. Compare fields in a handler that declares them in `reads`, or decide in a filter.",
      condition:
        'A symbolic record stands for every record and is always true. Decide in a filter: defineFilter drops the records that do not fit.',
    },
  },
  create(context) {
    const isSymbolic = symbolicTest(context);
    const condition = (node: EstreeNode | null | undefined): void => {
      if (node && isSymbolic(node)) context.report({ node, messageId: 'condition' });
    };
    const test = ({ test: node }: EstreeNode): void => condition(node);
    return {
      BinaryExpression(node) {
        const { operator = '', left, right } = node;
        if (COMPARISONS.has(operator) && [left, right].some((side) => side && isSymbolic(side)))
          context.report({ node, messageId: 'compared', data: { operator } });
      },
      SwitchStatement(node) {
        const compared = [node.discriminant, ...(node.cases ?? []).map((branch) => branch.test)].find((side) => side && isSymbolic(side));
        if (compared) context.report({ node: compared, messageId: 'compared', data: { operator: 'switch' } });
      },
      LogicalExpression: ({ left }) => condition(left),
      AssignmentExpression: ({ operator = '', left }) => (['&&=', '||=', '??='].includes(operator) ? condition(left) : undefined),
      UnaryExpression: ({ operator, argument }) => (operator === '!' ? condition(argument) : undefined),
      IfStatement: test,
      ConditionalExpression: test,
      WhileStatement: test,
      DoWhileStatement: test,
      ForStatement: test,
    };
  },
};

/** By the key that only symbolic records have, so an alias or another copy of the package is recognised too. */
function symbolicTest({ sourceCode: { parserServices } }: LintContext): (node: EstreeNode) => boolean {
  const typeAt = parserServices?.getTypeAtLocation;
  if (!typeAt)
    throw new Error(
      'no-symbolic-comparison needs types: parse with typescript-eslint and set languageOptions.parserOptions.projectService (or project)',
    );
  return (node) => hasMark(typeAt(node));
}

function hasMark(type: TypeInfo): boolean {
  if (type.types) return type.types.some(hasMark);
  return type.getProperties().some(({ escapedName }) => escapedName.startsWith('__@symbolicRecord'));
}
