/** What AutoFlow's own variables a child gets from the shell that called us; all others are settings of some other process. */
const ALWAYS = ['AUTOFLOW_LOG_LEVEL'];
const SECRET = 'AUTOFLOW_SECRET_';

/**
 * The environment of a child: everything that is not AutoFlow's, the log level, and what is set here. An AUTOFLOW_ROLES or
 * AUTOFLOW_API_HOST of the shell does not reach it. `secrets`: also those of the user's own pipelines, for the worker alone.
 */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  settings: NodeJS.ProcessEnv,
  { secrets = false }: { readonly secrets?: boolean } = {},
): NodeJS.ProcessEnv {
  const inherits = (name: string) => !name.startsWith('AUTOFLOW_') || ALWAYS.includes(name) || (secrets && name.startsWith(SECRET));
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => inherits(name))), ...settings };
}
