import type { StandardSchemaConverter } from '@nestjs/swagger';
import { z } from 'zod';

type Schema = Record<string, unknown>;

/** zod → JSON Schema 2020-12, which is that of OpenAPI 3.1; a schema with an id becomes a component and is referred to. */
export const schemaConverter: StandardSchemaConverter = (schema, { schemaType }) =>
  schema instanceof z.ZodType ? converted(schema, schemaType) : undefined;

export function componentsOf(schemas: readonly z.ZodType[]): Record<string, Schema> {
  return Object.assign({}, ...schemas.map((schema) => converted(schema, 'output').components));
}

function converted(schema: z.ZodType, io: 'input' | 'output'): { schema: Schema; components: Record<string, Schema> } {
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io, override: ({ jsonSchema }) => plainer(jsonSchema, io) });
  const { $schema: _, $defs = {}, ...root } = asComponents(json);
  const components = Object.fromEntries(
    Object.entries($defs as Record<string, Schema>).map(([name, definition]) => [name, withoutId(definition)]),
  );
  if (root['id'] === undefined) return { schema: root, components };
  const name = String(root['id']);
  return { schema: { $ref: `#/components/schemas/${name}` }, components: { ...components, [name]: withoutId(root) } };
}

/** What zod says beyond what a reader needs; and answers may get further fields. */
function plainer(schema: Schema, io: 'input' | 'output'): void {
  if (schema['format'] === 'date-time') delete schema['pattern'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (io === 'output' && schema['additionalProperties'] === false) delete schema['additionalProperties'];
}

function asComponents(json: object): Schema {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema;
}

function withoutId({ id: _, ...schema }: Schema): Schema {
  return schema;
}
