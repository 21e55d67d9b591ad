import { SetMetadata } from '@nestjs/common';

/** Each may do what those before it may: look; change what runs; register code and topologies. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const ACCESS = 'autoflow:access';
/** The least role a route asks for; `public` asks for none. */
export type Access = Role | 'public';
export const Needs = (access: Access) => SetMetadata(ACCESS, access);

export function mayAct(has: Role, needs: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needs);
}
