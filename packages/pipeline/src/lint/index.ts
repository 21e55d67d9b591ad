import { noSymbolicComparison } from './no-symbolic-comparison.js';

/** ESLint plugin: `plugins: { autoflow }`, `rules: { 'autoflow/no-symbolic-comparison': 'error' }`, or `autoflow.configs.recommended`. */
const plugin = {
  meta: { name: '@autoflow/pipeline' },
  rules: { 'no-symbolic-comparison': noSymbolicComparison },
};

const recommended = { plugins: { autoflow: plugin }, rules: { 'autoflow/no-symbolic-comparison': 'error' } } as const;

export const { meta, rules } = plugin;
export const configs = { recommended };
export default { ...plugin, configs };
