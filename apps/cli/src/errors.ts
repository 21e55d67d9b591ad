import { ApiError, ApiUnreachableError } from '@autoflow/client';
import { CommanderError } from 'commander';

/** 0 ok, 1 refused or failed, 2 usage, 3 unreachable. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What a command found and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: string,
    message: string,
    readonly exitCode: ExitCode = 1,
  ) {
    super(message);
  }
}

/** The command has answered, and what it answered is bad: stdout holds one document already. */
export class BadAnswerError extends CliError {}

/** The command line itself is wrong. */
export function usage(message: string): CliError {
  return new CliError('USAGE', message, 2);
}

export interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  /** Lines for people. */
  readonly lines: readonly string[];
  /** What `--json` answers under `error`; undefined when an answer was given before. */
  readonly json?: object;
}

/** How a command ends for whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return ofProblem(error);
  if (error instanceof ApiUnreachableError) return plain('API_UNREACHABLE', error.message, 3);
  if (error instanceof BadAnswerError) return { exitCode: error.exitCode, code: error.code, lines: [error.message] };
  if (error instanceof CliError) return plain(error.code, error.message, error.exitCode);
  if (isNamed(error)) return plain(error.code, error.message, 1);
  if (error instanceof CommanderError) return plain('USAGE', usageOf(error), error.exitCode === 0 ? 0 : 2);
  return plain('FAILED', error instanceof Error ? error.message : String(error), 1);
}

/** Errors of the stack, of releases and of policies, told by their names: loading their packages takes longer than most commands. */
function isNamed(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    ['StackError', 'ReleaseError', 'PolicyError'].includes(error.name) &&
    'code' in error &&
    typeof error.code === 'string'
  );
}

function plain(code: string, message: string, exitCode: ExitCode): Failure {
  return { exitCode, code, lines: [message], json: { code, detail: message } };
}

/** Commander says nothing useful when a command is missing: it would have printed the help. */
function usageOf({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'A command is missing.' : message.replace(/^error: /, '');
}

function ofProblem({ problem }: ApiError): Failure {
  const { title, detail, remedy, code, requestId, errors = [] } = problem;
  const places = errors.map(({ pointer, parameter, message }) => `  ${pointer ?? parameter ?? ''}  ${message}`);
  return { exitCode: 1, code, lines: [`${title}: ${detail}`, ...places, remedy, `(${code}, request ${requestId})`], json: problem };
}
