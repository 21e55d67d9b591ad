import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';
import type { Confinement, Enforcer } from '../enforcement/enforcer.js';
import type { HostMessage, InstanceMessage, InstanceSettings, InvocationFailure, InvocationUsage } from '../instance/protocol.js';
import { Deadline } from './deadline.js';
import { memoryFlags } from './memory-flags.js';
import { redactor } from './redact.js';
import { Tail } from './tail.js';

export interface InstanceOptions {
  /** Path of the instance's program. */
  readonly program: string;
  readonly settings: InstanceSettings;
  readonly memoryMb: number;
  readonly enforcer: Enforcer;
  /** The whole environment of the process: nothing is inherited. */
  readonly environment: { readonly [name: string]: string };
  readonly startWithinMs: number;
  /** Added to the time that a function declares, before the instance counts as hanging; also the time to stop in after a cancellation. */
  readonly graceMs: number;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;
}

/** Why a process is gone; the message may be shown. */
export interface Ended {
  readonly why: 'out-of-memory' | 'died' | 'timed-out' | 'cancelled' | 'broken';
  readonly message: string;
}

export type InvocationResult =
  | { readonly type: 'answer'; readonly answer: StageAnswer; readonly usage: InvocationUsage }
  | { readonly type: 'failure'; readonly failure: InvocationFailure; readonly usage: InvocationUsage }
  /** `begun`: the instance had taken the invocation on, so that handlers may have run. */
  | { readonly type: 'ended'; readonly ended: Ended; readonly begun: boolean };

const CLOSE_WITHIN_MS = 5_000;

/**
 * A sandboxed process that runs one stage, one invocation at a time, under its memory limit. It never outlives its host.
 * Whatever happens in it (crash, exit, kill, hang, memory without end) ends this process alone, and is told by `Ended`.
 */
export class InstanceProcess {
  /** Settles once, when the process is gone and its limits are given back; never rejects. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #confinement: Confinement | undefined;
  readonly #deadline = new Deadline();
  readonly #stderr = new Tail(4_096);
  readonly #redact: (text: string) => string;
  /** Set before we end the process: its exit alone would not tell the reason. */
  #verdict: Ended | undefined;
  #reply: ((message: InstanceMessage | undefined) => void) | undefined;
  #cancelled = false;
  #begun = false;

  constructor(private readonly options: InstanceOptions) {
    this.#redact = redactor(Object.values(options.settings.secrets));
    this.#child = fork(options.program, [], {
      env: options.environment,
      execArgv: memoryFlags(options.memoryMb),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A session of its own: Ctrl-C in a terminal reaches the host, which drains, and not the invocations under way.
      detached: true,
    });
    if (this.pid !== 0) this.#confinement = options.enforcer.confine(this.pid, options.memoryMb);
    this.#listen();
    this.ended = this.#end();
  }

  /** 0 when the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#verdict === undefined && this.#child.connected && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Loads the release. Undefined when the instance is ready, else how it ended. */
  async start(): Promise<Ended | undefined> {
    const { settings, startWithinMs } = this.options;
    this.#deadline.set(startWithinMs, () => this.#kill({ why: 'broken', message: `the release did not load within ${startWithinMs} ms` }));
    const reply = await this.#ask({ type: 'init', settings });
    if (reply?.type === 'broken') this.#kill({ why: 'broken', message: this.#redact(reply.message) });
    if (reply?.type !== 'ready') return this.ended;
    this.#confinement?.throttle();
    return undefined;
  }

  /** Runs one invocation. Aborting the signal asks the handlers to stop, and after the grace time ends the process. */
  async invoke(invocation: StageInvocation, strict: boolean, signal: AbortSignal): Promise<InvocationResult> {
    this.#cancelled = false;
    this.#begun = false;
    const cancel = (): void => this.#cancel();
    signal.addEventListener('abort', cancel, { once: true });
    this.#progress('start', 0);
    const asked = this.#ask({ type: 'invoke', invocation, strict });
    if (signal.aborted) cancel();
    const reply = await asked;
    signal.removeEventListener('abort', cancel);
    if (reply?.type === 'answer') return reply;
    if (reply?.type === 'failure') return { ...reply, failure: { ...reply.failure, message: this.#redact(reply.failure.message) } };
    return { type: 'ended', ended: await this.ended, begun: this.#begun };
  }

  /** Lets the process close its resources and end; ends it when that takes too long. */
  async close(): Promise<void> {
    this.#send({ type: 'close' });
    this.#deadline.set(CLOSE_WITHIN_MS, () => this.kill('closing its resources took too long'));
    await this.ended;
  }

  kill(message: string): void {
    this.#kill({ why: 'died', message });
  }

  #listen(): void {
    this.#child.on('message', (message) => this.#hear(message as InstanceMessage));
    // Failures to start or to be told something show in the end of the process.
    this.#child.on('error', (error) => this.#stderr.add(error.message));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr.add(text);
      this.options.log('debug', this.#redact(text.trimEnd()), { stream: 'stderr', pid: this.pid });
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.options.log('info', this.#redact(text.trimEnd()), { stream: 'stdout', pid: this.pid });
    });
  }

  #hear(message: InstanceMessage): void {
    this.#begun = true;
    if (message.type === 'progress') this.#progress(message.at, message.withinMs);
    else if (message.type === 'log')
      this.options.log('info', this.#redact(message.message), { node: message.node, key: message.key, details: message.details });
    else this.#answer(message);
  }

  #progress(at: string, withinMs: number): void {
    if (this.#cancelled) return;
    const allowedMs = withinMs + this.options.graceMs;
    this.#deadline.set(allowedMs, () => this.#kill({ why: 'timed-out', message: `no progress in '${at}' for ${allowedMs} ms` }));
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#send({ type: 'cancel' });
    this.#deadline.set(this.options.graceMs, () =>
      this.#kill({ why: 'cancelled', message: 'cancelled; the handler did not stop by itself' }),
    );
  }

  /** At most one question is open; the end of the process answers undefined. */
  #ask(message: HostMessage): Promise<InstanceMessage | undefined> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve(undefined);
      this.#reply = resolve;
      this.#send(message);
    });
  }

  #answer(message: InstanceMessage | undefined): void {
    this.#deadline.clear();
    this.#reply?.(message);
    this.#reply = undefined;
  }

  #send(message: HostMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #kill(verdict: Ended): void {
    this.#verdict ??= verdict;
    this.#confinement?.kill();
  }

  async #end(): Promise<Ended> {
    if (this.pid === 0) await once(this.#child, 'error').catch(() => {});
    else if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((resolve) => this.#child.once('exit', resolve));
    const outOfMemory = this.#ranOutOfMemory();
    await this.#lastWords();
    this.#confinement?.release();
    this.#answer(undefined);
    if (outOfMemory) return { why: 'out-of-memory', message: `more than ${this.options.memoryMb} MB were needed` };
    return this.#verdict ?? { why: 'died', message: this.#exitInWords() };
  }

  /** Heap abort, watchdog kill and control-group kill are one. */
  #ranOutOfMemory(): boolean {
    const { exitCode, signalCode } = this.#child;
    return signalCode === 'SIGABRT' || exitCode === 134 || (this.#confinement?.ranOutOfMemory() ?? false);
  }

  /** What it wrote before its end; a process of its own making may hold the pipe open longer. */
  async #lastWords(): Promise<void> {
    const { stderr } = this.#child;
    if (stderr === null || stderr.closed || stderr.destroyed) return;
    await Promise.race([once(stderr, 'close'), after(200, undefined, { ref: false })]).catch(() => {});
  }

  #exitInWords(): string {
    const { exitCode, signalCode } = this.#child;
    const end =
      this.pid === 0 ? 'could not be started' : signalCode === null ? `exited with code ${exitCode}` : `was killed by ${signalCode}`;
    const words = this.#redact(this.#stderr.text.trim());
    return `the process ${end}${words === '' ? '' : `: ${words}`}`;
  }
}
