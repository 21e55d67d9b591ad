import { createRequire, SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, resolve, sep } from 'node:path';

const require = createRequire(import.meta.url);
/** Our own definition language; a project may reach it by a link or have a copy of its own. */
const DEFINITIONS = dirname(dirname(require.resolve('@autoflow/pipeline'))) + sep;
const LIBRARY = /[\\/]node_modules[\\/](zod|@autoflow[\\/]pipeline)[\\/]/;

/** Tells of a stretch of the bundle whether it comes from zod or from `@autoflow/pipeline`; when the source map does not say, it does not. */
export function libraryCode(code: string, sourceMap: string, sourcesFolder: string): (start: number, end: number) => boolean {
  const map = new SourceMap(JSON.parse(sourceMap) as SourceMapPayload);
  const lines = lineStarts(code);
  return (start, end) => {
    const line = lineOf(lines, start);
    const entry = map.findEntry(line, start - lines[line]!);
    if (!('originalSource' in entry)) return false;
    // The entry before may be that of another piece.
    const at = lines[entry.generatedLine]! + entry.generatedColumn;
    if (at < start || at >= end) return false;
    const source = resolve(sourcesFolder, entry.originalSource);
    return source.startsWith(DEFINITIONS) || LIBRARY.test(source);
  };
}

function lineStarts(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
