import { defineConfig } from '@autoflow/pipeline/config';

export default defineConfig({
  pipelines: {
    orders: { module: 'src/orders.ts', samples: 'src/samples.ts' },
  },
});
