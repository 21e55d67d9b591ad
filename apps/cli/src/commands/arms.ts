import { type Command, InvalidArgumentError } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { percent } from '../format.js';

interface Share {
  readonly version: string;
  readonly share: number;
}
interface ArmsOptions {
  readonly candidate?: Share;
  readonly holdout?: Share;
  readonly none?: true;
  readonly reason?: string;
}

export function registerArms(program: Command): void {
  program
    .command('arms <pipeline>')
    .description('which versions new records get; or set candidate and holdout (what is not given gets nothing)')
    .option('--candidate <version=share>', 'such as v2=5%', share)
    .option('--holdout <version=share>', 'such as v1=10%', share)
    .option('--none', 'neither candidate nor holdout')
    .option('--reason <text>', 'for the audit log; needed to change it')
    .action(
      withContext<ArmsOptions>(async ({ out, client }, { candidate, holdout, none, reason }, pipeline = '') => {
        const api = await client();
        let arms = await api.arms.show(pipeline);
        const changes = candidate !== undefined || holdout !== undefined;
        if (changes && none) throw usage('Give arms or --none, not both.');
        if (changes || none) {
          if (reason === undefined) throw usage('Changing the arms needs --reason.');
          arms = await api.arms.set(pipeline, { ...(candidate && { candidate }), ...(holdout && { holdout }), reason }, arms.revision);
        }
        const rest = 1 - (arms.candidate?.share ?? 0) - (arms.control?.share ?? 0) - (arms.holdout?.share ?? 0);
        const others = (['candidate', 'control', 'holdout'] as const).flatMap((arm) => {
          const of = arms[arm];
          return of === undefined ? [] : [`${arm} ${of.version} ${percent(of.share)}`];
        });
        out.answer(arms, () =>
          [`stable ${arms.stable.version} ${percent(rest)}`, ...others, ...(arms.feedingPaused ? ['feeding is paused'] : [])].join(' · '),
        );
      }),
    );
}

function share(text: string): Share {
  const [, version, value] = /^(v[1-9]\d*)=(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (version === undefined || Number(value) > 100) throw new InvalidArgumentError('It is a version and a share such as v2=5%.');
  return { version, share: Number(value) / 100 };
}
