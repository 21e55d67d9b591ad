/** What running a topology costs, and how well it uses what it is given. Pure. */
export { billedMs, costPer1000, invocationCost } from './cost.js';
export { PUBLISHED_PRICES, type Prices } from './prices.js';
export { temporalActions } from './temporal-actions.js';
export { utilisation, type PoolUsage } from './utilisation.js';
export * from './traces/index.js';
