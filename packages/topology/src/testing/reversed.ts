/** The same JSON value with the properties of every object in reverse order. */
export function reversed<T>(value: T): T;
export function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => reversed(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed<unknown>(inner)] as const);
  return Object.fromEntries(entries.reverse());
}
