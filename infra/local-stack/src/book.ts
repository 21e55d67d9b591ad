import { StackError } from './errors.js';
import { markOf, type Server } from './processes.js';
import { readState, type StackState, writeState } from './state.js';

/** Keeps the servers of a running stack, and its state file in step with them. */
export class StackBook {
  readonly #servers = new Map<keyof StackState['servers'], Server>();
  #state: StackState;
  #stopping = false;

  constructor(
    readonly folder: string,
    identity: Pick<StackState, 'name' | 'mode'>,
  ) {
    const { ports = {}, postgresHome } = readState(folder) ?? {};
    this.#state = { format: 1, name: identity.name, mode: identity.mode, servers: {}, ports, ...(postgresHome && { postgresHome }) };
  }

  get state(): StackState {
    return this.#state;
  }

  open(): void {
    this.write({ owner: markOf(process.pid)! });
  }

  write(change: Partial<StackState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.folder, this.#state);
  }

  started(name: keyof StackState['servers'], server: Server): void {
    this.#servers.set(name, server);
    this.write({ servers: { ...this.#state.servers, [name]: server.mark } });
  }

  /** Resolves when a server ends by itself. */
  async lost(): Promise<StackError> {
    const [name, server] = await Promise.race([...this.#servers].map(async (entry) => (await entry[1].exited, entry)).concat(never()));
    if (this.#stopping) return never();
    return new StackError('STACK_SERVER_LOST', `The ${name} server of the stack ended by itself. Its log: ${server.logFile}`);
  }

  async stopServers(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
  }

  /** Leaves what the next start uses again. */
  close(): void {
    const { format, name, mode, ports, postgresHome } = this.#state;
    this.#state = { format, name, mode, servers: {}, ports, ...(postgresHome && { postgresHome }) };
    writeState(this.folder, this.#state);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
