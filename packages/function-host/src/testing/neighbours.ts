import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of a file beside this one: TypeScript where this runs as TypeScript, else compiled. */
export const neighbour = (name: string): string => fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));

/** A module with test pipelines. */
export const fixture = (name: 'trouble' | 'echo'): string => neighbour(`fixtures/${name}`);
