/** What running a topology costs, and how well it uses what it is given. Pure. */
export { billedMs, costPer1000, executionCost, invocationCost, provisionedCost, type BilledInvocation, type Cost } from './cost.js';
export { PUBLISHED_PRICES, type Price, type Prices } from './prices.js';
export { plannedActions, temporalActions, type TemporalUse } from './temporal-actions.js';
export { usedMbSeconds, utilisation, type PoolUsage, type Utilisation } from './utilisation.js';
