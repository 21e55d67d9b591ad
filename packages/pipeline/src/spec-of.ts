import { toJSONSchema } from 'zod';
import type { Json } from './json.js';
import type { AnyPipeline } from './pipeline.js';
import { fieldsOf, type Schema } from './schema.js';
import { sensitivePaths } from './sensitive.js';
import type { PipelineSpec } from './spec.js';

/** The serialisable form of a pipeline: plain JSON, no code. The same definition gives the same spec, whichever copy of this module made it. */
export function specOf(pipeline: AnyPipeline): PipelineSpec {
  const sensitive = sensitivePaths(pipeline);
  return {
    name: pipeline.name,
    key: pipeline.key,
    input: fieldsOf(pipeline.input),
    output: fieldsOf(pipeline.output),
    nodes: pipeline.wiring.nodes,
    resources: pipeline.wiring.resources,
    ...(sensitive.length > 0 && { sensitive }),
    schemas: { input: jsonSchema(pipeline.input, 'input'), output: jsonSchema(pipeline.output, 'output') },
  };
}

/** What JSON Schema cannot say (a refinement in code) is left out of it. */
function jsonSchema(schema: Schema, io: 'input' | 'output'): Json {
  return JSON.parse(JSON.stringify(toJSONSchema(schema, { io, unrepresentable: 'any' }))) as Json;
}
