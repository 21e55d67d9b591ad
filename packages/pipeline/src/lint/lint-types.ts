/** As much of ESLint, ESTree and TypeScript as the rule touches, so that the package depends on none of them. */
export interface EstreeNode {
  readonly type: string;
  readonly operator?: string;
  readonly left?: EstreeNode;
  readonly right?: EstreeNode;
  readonly argument?: EstreeNode | null;
  readonly test?: EstreeNode | null;
  readonly discriminant?: EstreeNode;
  readonly cases?: readonly EstreeNode[];
}

export interface TypeInfo {
  /** Members of a union or an intersection. */
  readonly types?: readonly TypeInfo[];
  getProperties(): readonly { readonly escapedName: string }[];
}

export interface LintContext {
  readonly sourceCode: { readonly parserServices?: { readonly getTypeAtLocation?: (node: EstreeNode) => TypeInfo } };
  report(problem: { readonly node: EstreeNode; readonly messageId: string; readonly data?: { readonly [name: string]: string } }): void;
}

export interface LintRule {
  readonly meta: {
    readonly type: 'problem';
    readonly docs: { readonly description: string };
    readonly schema: readonly [];
    readonly messages: { readonly [id: string]: string };
  };
  create(context: LintContext): { readonly [selector: string]: (node: EstreeNode) => void };
}
