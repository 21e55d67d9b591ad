const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** Deeper is not shown: whoever logs a tree without end must not end us. */
const DEEPEST = 20;

/** A function that blanks secrets, and credentials in URLs, out of texts that are logged, stored or shown. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const longestFirst = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((all, secret) => all.replaceAll(secret, '***'), text).replace(CREDENTIALS_IN_URL, '$1***@');
}

/** A JSON value with all its texts, numbers and names redacted. */
export function redactJson(value: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'number') return redact(String(value)) === String(value) ? value : '***';
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEEPEST) return '…';
  if (Array.isArray(value)) return value.map((each) => redactJson(each, redact, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [redact(name), redactJson(each, redact, depth + 1)]));
}
