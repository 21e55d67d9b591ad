/** RFC 6901: where in a JSON document something is. `jsonPointer()` is the whole document. */
export function jsonPointer(...segments: readonly (string | number | symbol)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
