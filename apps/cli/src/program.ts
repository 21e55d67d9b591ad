import { Command } from 'commander';
import { commandsFor } from './commands/index.js';
import { addGlobalOptions, contextOf } from './context.js';
import { failureOf, type ExitCode } from './errors.js';

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = addGlobalOptions(
    new Command('autoflow').description('Data pipelines on Temporal that get cheaper and faster while they run.'),
  );
  program
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const register of await commandsFor(args)) register(program);
  program.addHelpText('after', '\nExit codes: 0 ok, 1 refused or failed, 2 usage, 3 the API cannot be reached.');
  inheritSettings(program);
  return program;
}

/** Runs one command line and answers its exit code; nothing is thrown. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  try {
    const program = await createProgram(args);
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.exitCode === 0) return 0;
    const json = args.includes('--json');
    contextOf({ json, stack: 'local' }).out.failure(
      failure.exitCode === 2 ? { ...failure, lines: [...failure.lines, 'autoflow --help lists the commands.'] } : failure,
    );
    return failure.exitCode;
  }
}

/** Commands throw what they would otherwise print and exit with. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}
