import type { Request, Response } from 'express';

/** Aborted when the client has hung up: nobody will read the answer. */
export function stopOf(request: Request, response: Response): AbortSignal {
  const stop = new AbortController();
  const hungUp = () => {
    if (!response.writableFinished) stop.abort(new Error('the client has hung up'));
  };
  response.once('close', hungUp);
  request.once('aborted', hungUp);
  return stop.signal;
}
