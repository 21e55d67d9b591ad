/** One JSON object per line. */
import type { Fields } from '@autoflow/pipeline';
import { SourceError, type Source, type SourceRecord } from './source.js';
import { readLines } from './text.js';

/** A line that is no JSON object is a record with a `problem`; when it is the first one, the file is not what it should be. */
export function jsonlSource(path: string): Source {
  return {
    async *records(skip) {
      let seen = 0;
      for await (const { line, number } of readLines(path)) {
        if (line.trim() === '') continue;
        seen += 1;
        if (seen > skip || seen === 1) {
          const record = parse(line, number);
          if (seen === 1 && record.problem !== undefined)
            throw new SourceError(
              'SOURCE_NOT_JSONL',
              `line ${number} of ${path} is ${record.problem}. A JSONL file has one JSON object per line.`,
            );
          if (seen > skip) yield record;
        }
      }
    },
    total: async () => undefined,
  };
}

function parse(line: string, number: number): SourceRecord {
  const where = `line ${number}`;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { fields: value as Fields, where };
    return { fields: { line: excerpt(line) }, where, problem: 'JSON, but no object' };
  } catch {
    // Not with the parser's own message: it quotes the line.
    return { fields: { line: excerpt(line) }, where, problem: 'not JSON' };
  }
}

const excerpt = (line: string): string => line.slice(0, 1000);
