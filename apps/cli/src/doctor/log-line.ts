import { readFileSync } from 'node:fs';

/** The last line of a log (pino's JSON lines) with this message. */
export function lastLogged(file: string, message: string): object | undefined {
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const line = lines.findLast((text) => text.includes(message));
  return line === undefined ? undefined : parsed(line);
}

function parsed(line: string): object | undefined {
  try {
    return JSON.parse(line) as object;
  } catch {
    return undefined;
  }
}
