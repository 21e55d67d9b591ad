import { defineSearchAttributeKey } from '@temporalio/common';

/** Search attributes (Keyword) that every execution carries; a backfill's id only where there is one. */
export const searchAttributes = {
  pipeline: defineSearchAttributeKey('AutoFlowPipeline', 'KEYWORD'),
  version: defineSearchAttributeKey('AutoFlowVersion', 'KEYWORD'),
  backfill: defineSearchAttributeKey('AutoFlowBackfill', 'KEYWORD'),
} as const;
