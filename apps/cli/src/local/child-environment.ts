/** What AutoFlow's own variables a child gets from the shell that called us; all others are settings of some other process. */
const ALWAYS = ['AUTOFLOW_LOG_LEVEL'];
/** What belongs to the user's own pipelines and sources, where the worker shall be read, and what of this machine its learners may use. */
const FOR_WORKER = /^AUTOFLOW_(SECRET_|SOURCES$|METRICS_ADDRESS$|LEARNER_SHARE$)/;

/**
 * The environment of a child: everything that is not AutoFlow's, the log level, and what is set here. An AUTOFLOW_ROLES or
 * AUTOFLOW_API_HOST of the shell does not reach it. `worker`: also what is for the worker alone.
 */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  settings: NodeJS.ProcessEnv,
  { worker = false }: { readonly worker?: boolean } = {},
): NodeJS.ProcessEnv {
  const inherits = (name: string) => !name.startsWith('AUTOFLOW_') || ALWAYS.includes(name) || (worker && FOR_WORKER.test(name));
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => inherits(name))), ...settings };
}
