import { z } from 'zod';

/** Where in the request something is wrong: a JSON pointer into the body, or the name of a parameter or header. */
export const ProblemLocation = z
  .object({
    pointer: z.string().exactOptional(),
    parameter: z.string().exactOptional(),
    code: z.string().exactOptional(),
    message: z.string(),
  })
  .meta({ id: 'ProblemLocation' });
export type ProblemLocation = z.infer<typeof ProblemLocation>;

/** RFC 9457, `application/problem+json`: what every answer but 2xx and 304 is. `code` is stable; `retryable` is the first fork. */
export const Problem = z
  .object({
    type: z.string(),
    status: z.int(),
    code: z.string(),
    title: z.string(),
    detail: z.string(),
    remedy: z.string(),
    retryable: z.boolean(),
    requestId: z.string(),
    errors: z.array(ProblemLocation).exactOptional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
