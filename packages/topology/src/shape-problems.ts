import type { z } from 'zod';
import { jsonPointer } from './json-pointer.js';
import type { Problem } from './topology.js';

/** What zod found wrong with the shape of a JSON document, one problem each; an unknown key is located at the key itself. */
export function shapeProblems(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          code: 'UNKNOWN_KEY',
          pointer: jsonPointer(...issue.path, key),
          message: `there is no '${key}' here; remove it.`,
        }))
      : [{ code: 'WRONG_SHAPE', pointer: jsonPointer(...issue.path), message: issue.message }],
  );
}
