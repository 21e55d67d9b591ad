import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bytesOf, pretrainedPolicy } from '@autoflow/learning';
import { FALLBACK } from '@autoflow/optimizer';
import { expect, test } from 'vitest';

test('the published figures are those of the policy that comes along, and the rule that stands by is the one that they found best', () => {
  const path = new URL('../../../results/policy.json', import.meta.url);
  const { figures } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly figures: { readonly policy: { readonly sha256: string }; readonly rules: { readonly staffing: { readonly name: string } } };
  };
  expect(figures.policy.sha256).toBe(createHash('sha256').update(bytesOf(pretrainedPolicy().parameters)).digest('hex'));
  expect(FALLBACK.name).toBe(figures.rules.staffing.name);
});
