import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Role } from '../access/roles.js';

/** Who looks. */
export interface Showing {
  readonly name: string;
  readonly role: Role;
}

export const Shown = createParamDecorator((_: unknown, context: ExecutionContext): Showing => {
  const { caller } = context.switchToHttp().getRequest<{ caller?: Showing }>();
  return caller ?? { name: 'nobody', role: 'viewer' };
});
