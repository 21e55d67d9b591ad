const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** A function that blanks secrets, and credentials in URLs, out of texts that are logged, stored or shown. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const longestFirst = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((all, secret) => all.replaceAll(secret, '***'), text).replace(CREDENTIALS_IN_URL, '$1***@');
}
