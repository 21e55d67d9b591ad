import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';
import type { Confinement, Enforcer } from '../enforcement/enforcer.js';
import {
  isInstanceMessage,
  isNodeRecording,
  type HostMessage,
  type InstanceMessage,
  type InstanceSettings,
  type InvocationFailure,
  type InvocationUsage,
  type NodeRecording,
  type Question,
} from '../instance/protocol.js';
import type { LimitedUse } from '../shares/fleet-shares.js';
import { Deadline } from './deadline.js';
import { memoryFlags } from './memory-flags.js';
import { redactJson, redactor } from './redact.js';
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
  /** Resolves when each of the resources may be used once more; default: nobody limits them. */
  readonly use?: (uses: readonly LimitedUse[], signal: AbortSignal) => Promise<void>;
  /** What functions were asked and answered about a sample of the records. */
  readonly recorded?: (recordings: readonly NodeRecording[], scope: string) => void;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;
}

/** Why a process is gone; the message may be shown. */
export interface Ended {
  readonly why:
    | 'out-of-memory'
    | 'died'
    | 'timed-out'
    | 'cancelled'
    /** The release cannot be loaded. */
    | 'broken'
    /** This machine could not start it; the release may be sound. */
    | 'not-started'
    /** The release was not loaded in time: it never will be, or this machine is slow. */
    | 'late';
  readonly message: string;
}

/** `begun`: handlers may have run; false only when it is certain that none did. */
export type InvocationResult =
  | { readonly type: 'answer'; readonly answer: StageAnswer; readonly usage: InvocationUsage }
  | { readonly type: 'failure'; readonly failure: InvocationFailure; readonly usage: InvocationUsage; readonly begun: boolean }
  | { readonly type: 'ended'; readonly ended: Ended; readonly begun: boolean };

const CLOSE_WITHIN_MS = 5_000;
const LAST_WORDS_WITHIN_MS = 200;

interface OpenQuestion {
  readonly call: number;
  readonly answer: (message: InstanceMessage | undefined) => void;
}

/**
 * A sandboxed process that runs one stage, one invocation at a time, under its memory limit. Whatever happens in it (crash, exit, kill,
 * hang, memory without end), or is sent by the code in it, ends this process alone, and is told by `Ended`. When its host is killed it
 * ends by itself, but for one whose thread a handler never gives back: the next host to start here ends that one (`endOrphans`).
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
  /** At most one is open. */
  #question: OpenQuestion | undefined;
  #calls = 0;
  #cancelled = false;
  #begun = false;
  /** Aborted when the invocation is over, or no longer wanted: what it waits for is waited for no more. */
  #waits = new AbortController();
  #lastProgress = { at: 'start', withinMs: 0 };

  constructor(private readonly options: InstanceOptions) {
    this.#redact = redactor(Object.values(options.settings.secrets));
    // It names its host, so that one that has outlived it is known.
    this.#child = fork(options.program, [String(process.pid)], {
      env: options.environment,
      execArgv: memoryFlags(options.memoryMb),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A session of its own: Ctrl-C in a terminal reaches the host, which drains, and not the invocations under way.
      detached: true,
    });
    this.#listen();
    if (this.pid !== 0) this.#confinement = this.#limited(() => options.enforcer.confine(this.pid, options.memoryMb));
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
    this.#deadline.set(startWithinMs, () =>
      this.#kill({ why: 'late', message: `the release did not finish loading within ${startWithinMs} ms` }),
    );
    const reply = await this.#ask({ type: 'init', settings });
    if (reply?.type === 'broken') this.#kill({ why: 'broken', message: this.#redact(reply.message) });
    if (reply?.type !== 'ready') return this.#endedLoading();
    this.#limited(() => this.#confinement?.throttle());
    return this.#verdict === undefined ? undefined : this.ended;
  }

  /** Runs one invocation. Aborting the signal asks the handlers to stop, and after the grace time ends the process. Never rejects. */
  async invoke(invocation: StageInvocation, strict: boolean, signal: AbortSignal): Promise<InvocationResult> {
    this.#cancelled = false;
    this.#begun = false;
    this.#waits = new AbortController();
    const cancel = (): void => this.#cancel();
    signal.addEventListener('abort', cancel, { once: true });
    this.#progress('start', 0);
    const asked = this.#ask({ type: 'invoke', invocation, strict });
    if (signal.aborted) cancel();
    const reply = await asked;
    signal.removeEventListener('abort', cancel);
    if (reply?.type === 'answer') return reply;
    if (reply?.type === 'failure') {
      const failure = { ...reply.failure, message: this.#redact(reply.failure.message) };
      return { type: 'failure', failure, usage: reply.usage, begun: this.#begun };
    }
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

  /** One that exits by itself while it loads does so every time. */
  async #endedLoading(): Promise<Ended> {
    const ended = await this.ended;
    if (ended.why !== 'died' || this.#verdict !== undefined || this.#child.exitCode === null) return ended;
    return { why: 'broken', message: `the release ends its process when it is loaded: ${ended.message}` };
  }

  #listen(): void {
    this.#child.on('message', (message) => this.#hear(message));
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

  /** The user's code may have found the channel too: only what answers the open question counts. */
  #hear(message: unknown): void {
    if (!isInstanceMessage(message)) this.options.log('debug', "a message that is not the instance's is ignored", { pid: this.pid });
    else if (message.type === 'log') this.#passOn(message);
    else if (message.type === 'recorded') this.#recorded(message);
    else if (message.call !== this.#question?.call) return;
    else if (message.type === 'progress') this.#progress(message.at, message.withinMs);
    else if (message.type === 'begun') this.#begun = true;
    else if (message.type === 'use') void this.#use(message);
    else this.#answer(message);
  }

  #recorded({ recordings, scope }: Extract<InstanceMessage, { type: 'recorded' }>): void {
    if (Array.isArray(recordings)) this.options.recorded?.(recordings.filter(isNodeRecording), scope);
  }

  #passOn({ node, key, message, details }: Extract<InstanceMessage, { type: 'log' }>): void {
    const found = redactJson({ key, details }, this.#redact) as object;
    this.options.log('info', this.#redact(message), { node, ...found });
  }

  /** Waiting for its turn is no time in which progress is due. */
  async #use({ uses, call }: Extract<InstanceMessage, { type: 'use' }>): Promise<void> {
    const { signal } = this.#waits;
    if (this.#cancelled) return;
    this.#deadline.clear();
    try {
      await this.options.use?.(uses, signal);
    } catch {
      return;
    }
    if (signal.aborted) return;
    this.#progress(this.#lastProgress.at, this.#lastProgress.withinMs);
    this.#send({ type: 'granted', call });
  }

  #progress(at: string, withinMs: number): void {
    if (this.#cancelled) return;
    this.#lastProgress = { at, withinMs };
    const allowedMs = withinMs + this.options.graceMs;
    this.#deadline.set(allowedMs, () => this.#kill({ why: 'timed-out', message: `no progress in '${at}' for ${allowedMs} ms` }));
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#waits.abort();
    this.#send({ type: 'cancel' });
    this.#deadline.set(this.options.graceMs, () =>
      this.#kill({ why: 'cancelled', message: 'cancelled; the handler did not stop by itself' }),
    );
  }

  /** The end of the process answers undefined. */
  #ask(question: Question): Promise<InstanceMessage | undefined> {
    const call = ++this.#calls;
    return new Promise((resolve) => {
      if (this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve(undefined);
      this.#question = { call, answer: resolve };
      this.#send({ ...question, call });
    });
  }

  #answer(message: InstanceMessage | undefined): void {
    this.#deadline.clear();
    this.#waits.abort();
    this.#question?.answer(message);
    this.#question = undefined;
  }

  #send(message: HostMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #kill(verdict: Ended): void {
    this.#verdict ??= verdict;
    this.#attempt('kill', () => this.#confinement?.kill());
    this.#child.kill('SIGKILL');
  }

  /** Without its limits it must not run. */
  #limited<T>(limit: () => T): T | undefined {
    try {
      return limit();
    } catch (error) {
      this.#kill({ why: 'not-started', message: `its limits could not be set: ${(error as Error).message}` });
      return undefined;
    }
  }

  /** What fails around the end of a process must not keep it from ending. */
  #attempt<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.options.log('warn', `confinement: ${what} failed: ${(error as Error).message}`, { pid: this.pid });
      return undefined;
    }
  }

  async #end(): Promise<Ended> {
    if (this.pid === 0) await once(this.#child, 'error').catch(() => {});
    else if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((resolve) => this.#child.once('exit', resolve));
    const outOfMemory = this.#ranOutOfMemory();
    await this.#lastWords();
    this.#attempt('release', () => this.#confinement?.release());
    this.#answer(undefined);
    if (outOfMemory) return { why: 'out-of-memory', message: `more than ${this.options.memoryMb} MB were needed` };
    return this.#verdict ?? { why: this.pid === 0 ? 'not-started' : 'died', message: this.#exitInWords() };
  }

  /** Heap abort, watchdog kill and control-group kill are one. */
  #ranOutOfMemory(): boolean {
    const { exitCode, signalCode } = this.#child;
    return (
      signalCode === 'SIGABRT' ||
      exitCode === 134 ||
      (this.#attempt('asking for the reason of the end', () => this.#confinement?.ranOutOfMemory()) ?? false)
    );
  }

  /**
   * What it wrote before its end, and said to us; a process of its own making may hold the pipes open longer.
   * An invocation whose words we cannot hear to the end counts as begun.
   */
  async #lastWords(): Promise<void> {
    const { stderr } = this.#child;
    // Without descriptors left to start it with, there are no streams at all.
    const written = !stderr || stderr.closed || stderr.destroyed ? undefined : once(stderr, 'close');
    const said = this.#child.connected ? once(this.#child, 'disconnect') : undefined;
    await Promise.race([Promise.all([written, said]), after(LAST_WORDS_WITHIN_MS, undefined, { ref: false })]).catch(() => {});
    if (this.#child.connected) this.#begun = true;
  }

  #exitInWords(): string {
    const { exitCode, signalCode } = this.#child;
    const end =
      this.pid === 0 ? 'could not be started' : signalCode === null ? `exited with code ${exitCode}` : `was killed by ${signalCode}`;
    const words = this.#redact(this.#stderr.text.trim());
    return `the process ${end}${words === '' ? '' : `: ${words}`}`;
  }
}
