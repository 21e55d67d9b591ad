import { createGunzip } from 'node:zlib';
import { ProblemError } from '@autoflow/http';
import type { Request } from 'express';

/** The bytes of a body, unzipped. Breaking off the reading leaves the connection, which still has to carry the answer. */
export function bytesOf(request: Request): AsyncIterable<Buffer> {
  const encoding = request.get('content-encoding') ?? 'identity';
  if (encoding === 'identity') return request.iterator({ destroyOnReturn: false });
  if (encoding === 'gzip') return unzipped(request);
  throw new ProblemError('UNSUPPORTED_MEDIA_TYPE', `The body is encoded as ${JSON.stringify(encoding)}; send it as it is, or gzipped.`);
}

async function* unzipped(request: Request): AsyncGenerator<Buffer> {
  const unzip = createGunzip();
  request.on('error', (error) => unzip.destroy(error)).pipe(unzip);
  try {
    yield* unzip as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = error as { code?: string };
    throw code?.startsWith('Z_') ? new ProblemError('MALFORMED_REQUEST', 'The body is said to be gzip, and is not.') : error;
  } finally {
    request.unpipe(unzip);
    request.resume();
  }
}
