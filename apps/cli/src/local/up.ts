import { findTemporal } from '@autoflow/local-stack';
import type { Context } from '../context.js';
import { aborted, interruption } from './interruption.js';
import { startRunningStack, type RunningStack } from './running-stack.js';

/** Starts everything, answers where it is, and keeps it up until SIGINT, SIGTERM or SIGHUP, or until a part of it is lost. */
export async function up({ out, env, stack: name }: Context): Promise<void> {
  const asked = interruption('The start', out.note);
  const stack = await startRunningStack({ mode: 'persistent', name, env, log: out.note, signal: asked });
  try {
    const command = stack.temporal.external ? undefined : findTemporal(env);
    out.answer(described(stack, command), () => text(stack, command));
    const error = await Promise.race([aborted(asked), stack.lost]);
    if (error) throw error;
  } finally {
    await stack.stop();
  }
}

function described({ api, ingest, temporal, tokenFile, ratesUrl, folder, pipelines }: RunningStack, command: string | undefined) {
  return {
    temporal: temporal.address,
    namespace: temporal.namespace,
    ui: temporal.uiUrl,
    temporalCommand: command,
    api,
    ingest,
    docs: `${api}/v1/docs`,
    tokenFile,
    rates: ratesUrl,
    folder,
    pipelines,
  };
}

function text(stack: RunningStack, command: string | undefined): string {
  const { temporal, ui, api, ingest, docs, tokenFile, folder } = described(stack, command);
  return [
    `temporal ${temporal}${ui ? ` · ui ${ui}` : ''} · api ${api} · ingest ${ingest} · docs ${docs}`,
    ...(command === undefined ? [] : [`temporal CLI ${command}`]),
    `admin token  ${tokenFile}`,
    `logs         ${folder}/logs`,
    ...stack.pipelines.map(({ name, version, release }) => `pipeline     ${name} ${version} (release ${release.slice(0, 7)})`),
    'Ctrl-C stops it; the data stays.',
  ].join('\n');
}
