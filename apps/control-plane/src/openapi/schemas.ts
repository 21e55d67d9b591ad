import type { StandardSchemaConverter } from '@nestjs/swagger';
import { z } from 'zod';

type Schema = Record<string, unknown>;
type Schemas = NonNullable<ReturnType<StandardSchemaConverter>>['components'];

/** zod → JSON Schema 2020-12, which is that of OpenAPI 3.1; a schema with an id becomes a component and is referred to. */
export const schemaConverter: StandardSchemaConverter = (schema, { schemaType }) => {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _, $defs = {}, id, ...converted } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: schemaType }) as Schema & { $defs?: Record<string, Schema> };
  const components = Object.fromEntries(Object.entries($defs).map(([name, { id: _id, ...definition }]) => [name, definition]));
  if (id === undefined) return { schema: converted, components };
  return { schema: { $ref: `#/components/schemas/${String(id)}` }, components: { ...components, [String(id)]: converted } };
};

export function componentsOf(schemas: readonly z.ZodType[]): NonNullable<Schemas> {
  return Object.assign({}, ...schemas.map((schema) => schemaConverter(schema, { schemaType: 'output' })?.components));
}
