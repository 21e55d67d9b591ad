/** Set on every execution, all of type Keyword. */
export const SEARCH_ATTRIBUTES = ['AutoFlowPipeline', 'AutoFlowVersion', 'AutoFlowBackfill'] as const;
