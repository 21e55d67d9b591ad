import type { Command } from 'commander';
import type { AutoFlowClient, RolledBack, Rollout, StableSet } from '@autoflow/client';
import { withContext } from '../context.js';
import { CliError, usage } from '../errors.js';
import { short } from '../format.js';

interface Options {
  readonly to?: string;
  readonly release?: string;
  readonly abort?: true;
  readonly reason: string;
}

export function registerRollback(program: Command): void {
  program
    .command('rollback <pipeline>')
    .description(
      'end the rollout that is under way; without one, or by name, go back to another version: new executions get it from now on',
    )
    .option('--to <version>', 'default: the stable version while a rollout is under way, else its parent')
    .option('--release <hash>', 'to the version of this release that was stable last (or its newest); the first digits do')
    .option('--abort', 'also take back what is under way on the version before; it runs again on the new one')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<Options>(async ({ out, client }, { to, release, reason, abort }, pipeline = '') => {
        if (to !== undefined && release !== undefined) throw usage('Give --to or --release, not both.');
        const api = await client();
        const before = await api.stable.show(pipeline);
        const underWay = to === undefined && release === undefined ? await rolloutOf(api, pipeline) : undefined;
        if (underWay !== undefined) {
          const { took, answer } = await timed(() =>
            api.rollouts.rollBack(pipeline, underWay.id, { reason, ...(abort && { inFlight: 'abort' as const }) }),
          );
          const from = { version: answer.version };
          const to = await api.stable.show(pipeline);
          out.answer({ pipeline, rollout: answer, from, to, tookMs: took }, () => ended(answer, to.version, took));
          return;
        }
        const target =
          release === undefined
            ? { version: to ?? (await parentOf(api, pipeline, before.version)) }
            : { release: await releaseOf(api, pipeline, release) };
        const wanted = { ...target, reason, ...(abort && { inFlight: 'abort' as const }) };
        const { took, answer: after } = await timed(() => api.stable.set(pipeline, wanted, before.revision));
        out.answer({ pipeline, from: before, to: after, tookMs: took }, () =>
          [
            `${before.version} → ${after.version} (release ${short(after.release)}) for new executions, in ${took} ms; ${theOthers(before.version, after)}`,
            ...after.notices,
          ].join('\n'),
        );
      }),
    );
}

async function rolloutOf(api: AutoFlowClient, pipeline: string): Promise<Rollout | undefined> {
  const [newest] = (await api.rollouts.list(pipeline, { limit: 1 })).items;
  return newest?.endedAt === undefined ? newest : undefined;
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly took: number; readonly answer: T }> {
  const started = performance.now();
  const answer = await work();
  return { took: Math.round(performance.now() - started), answer };
}

/** `stable`: what the traffic has now, after all that happened meanwhile. */
function ended(rollout: RolledBack, stable: string, tookMs: number): string {
  const { id, pipeline, version, state, outcome } = rollout;
  const how = state === 'rolled-back' ? 'has ended' : `had ended already (${state}: ${outcome})`;
  return [
    `${version} → ${stable} for new executions, in ${tookMs} ms: the rollout ${id} ${how}, and ${stable} is stable; ${theOthers(version, rollout)}`,
    `To go back further than ${stable}: autoflow rollback ${pipeline} --to VERSION`,
  ].join('\n');
}

/** Those under way. */
function theOthers(before: string, { inFlight }: Pick<StableSet, 'inFlight'>): string {
  if (inFlight === undefined) return `those under way end on ${before}`;
  const { aborted, finishing, because } = inFlight;
  const rest = finishing === 0 ? '' : `; ${finishing} end on ${before}${because === undefined ? '' : `, as ${because}`}`;
  return `${aborted} under way are taken back and run again${rest}`;
}

async function parentOf(api: AutoFlowClient, pipeline: string, version: string): Promise<string> {
  const { parent } = await api.versions.show(pipeline, version);
  if (parent === undefined)
    throw new CliError(
      'NO_PARENT',
      `${pipeline} ${version} has no parent to go back to. Name a version with --to (autoflow versions list ${pipeline}).`,
    );
  return parent;
}

/** A hash as people write it: some of its first digits. */
async function releaseOf(api: AutoFlowClient, pipeline: string, digits: string): Promise<string> {
  const { items } = await api.releases.list(pipeline);
  const [found, ...others] = items.filter(({ hash }) => hash.startsWith(digits));
  if (found === undefined || others.length > 0)
    throw new CliError(
      'RELEASE_UNKNOWN',
      `${pipeline} has ${found === undefined ? 'no release' : `${others.length + 1} releases`} ${digits}… List them (autoflow pipelines releases ${pipeline}).`,
    );
  return found.hash;
}
