/** A pipeline whose handlers say everywhere what they must not. */
import { defineFunction, definePipeline, sensitive, TerminalError } from '@autoflow/pipeline';
import { z } from 'zod';

const Input = z.object({ id: z.string(), act: z.enum(['pass', 'fail', 'crash']), iban: sensitive(z.string()) });

const look = defineFunction('look', {
  effect: 'pure',
  timeoutMs: 10_000,
  reads: Input,
  writes: z.object({ copy: sensitive(z.string()) }),
  async handle({ act, iban }, { log }) {
    console.log(`printed ${iban}`);
    console.error('printed', { iban });
    log(`logged ${iban}`, { iban, nested: [iban] });
    if (act === 'fail') throw new TerminalError('NO_ACCOUNT', `there is no account ${iban}`);
    if (act === 'crash') {
      setTimeout(() => {
        throw new Error(`nobody catches ${iban}`);
      });
      await new Promise(() => {});
    }
    return { copy: iban };
  },
});
const check = defineFunction('check', {
  effect: 'pure',
  reads: z.object({ copy: z.string() }),
  writes: z.object({ length: z.int() }),
  handle: ({ copy }) => ({ length: copy.length }),
});

export const accounts = definePipeline(
  'accounts',
  { input: Input, key: 'id', output: z.object({ id: z.string(), iban: z.string(), length: z.int() }) },
  (record) => check(look(record)),
);
