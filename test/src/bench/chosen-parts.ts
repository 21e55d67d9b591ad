/** Parts of a benchmark by a list such as `rates,common`; all where there is none. Throws where a name is none of them, with those that there are. */
export function chosenParts<Part extends string>(benchmark: string, parts: readonly Part[], only: string | undefined): ReadonlySet<Part> {
  if (only === undefined) return new Set(parts);
  const asked = only.split(',').map((part) => part.trim());
  const unknown = asked.filter((part) => !parts.includes(part as Part));
  if (unknown.length > 0) throw new Error(`There is no part '${unknown.join(', ')}' of ${benchmark}. Choose of: ${parts.join(', ')}`);
  return new Set(asked as Part[]);
}
