import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { TerminalError, type AnyPipeline } from '@autoflow/pipeline';

/** Where Node tells of connections and requests. Reused sockets, child processes and files are not among it. */
const CHANNELS = ['net.client.socket', 'udp.socket', 'http.client.request.start', 'undici:request:create'];

/**
 * Runs handlers so that a `pure` function that uses the network fails its record, with code IMPURE and its own name:
 * results that depend on the network could be neither repeated nor compared.
 */
export function networkGuard(pipeline: AnyPipeline): <T>(node: string, call: () => T) => T {
  const pure = new Set([...pipeline.functions].filter(([, { effect }]) => effect === 'pure').map(([id]) => id));
  const calls = new AsyncLocalStorage<{ used: string | undefined }>();
  for (const channel of CHANNELS) {
    subscribe(channel, () => {
      const call = calls.getStore();
      if (call !== undefined) call.used ??= channel;
    });
  }
  return (node, handler) => {
    if (!pure.has(node)) return calls.exit(handler);
    const call = { used: undefined as string | undefined };
    const check = <R>(result: R): R => {
      if (call.used !== undefined) throw impure(node, call.used);
      return result;
    };
    return calls.run(call, () => checked(handler, check));
  };
}

/** Checks when the handler is done, however it ended: an async one may reach for the network after its first await. */
function checked<T>(handler: () => T, check: <R>(result: R) => R): T {
  let result: T;
  try {
    result = handler();
  } catch (error) {
    check(undefined);
    throw error;
  }
  if (!isPromise(result)) return check(result);
  const failed = (error: unknown): never => {
    check(undefined);
    throw error;
  };
  return result.then(check, failed) as T;
}

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;

function impure(node: string, channel: string): TerminalError {
  return new TerminalError(
    'IMPURE',
    `'${node}' is declared pure, but used the network (${channel}). Declare effect 'read' and take the connection from a resource.`,
  );
}
