import type { Context } from '../context.js';
import { startRunningStack, type RunningStack } from './running-stack.js';

/** Starts everything, answers where it is, and keeps it up until SIGINT or SIGTERM, or until a part of it is lost. */
export async function up({ out, env, stack: name }: Context): Promise<void> {
  const asked = stopSignal();
  const stack = await startRunningStack({ mode: 'persistent', name, env, log: out.note });
  try {
    out.answer(described(stack), () => text(stack));
    const error = await Promise.race([asked, stack.lost]);
    if (error) throw error;
    out.note('stopping');
  } finally {
    await stack.stop();
  }
}

function described({ api, temporal, tokenFile, ratesUrl, folder, pipelines }: RunningStack) {
  return {
    temporal: temporal.address,
    namespace: temporal.namespace,
    ui: temporal.uiUrl,
    api,
    docs: `${api}/v1/docs`,
    tokenFile,
    rates: ratesUrl,
    folder,
    pipelines,
  };
}

function text(stack: RunningStack): string {
  const { temporal, ui, api, docs, tokenFile, folder } = described(stack);
  return [
    `temporal ${temporal}${ui ? ` · ui ${ui}` : ''} · api ${api} · docs ${docs}`,
    `admin token  ${tokenFile}`,
    `logs         ${folder}/logs`,
    ...stack.pipelines.map(({ name, version, release }) => `pipeline     ${name} ${version} (release ${release.slice(0, 7)})`),
    'Ctrl-C stops it; the data stays.',
  ].join('\n');
}

/** Resolves at the first SIGINT or SIGTERM, also one that comes while the stack is still starting. */
function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(undefined));
  });
}
