/** The control plane as a process. */
import { runService } from '@autoflow/http';
import { ensureAdminToken } from './access/admin-token.js';
import { createControlPlane } from './control-plane.js';
import { readSettings } from './settings.js';

await runService({
  app: 'control-plane',
  readSettings,
  start: async (settings, ports) => {
    if (settings.adminToken !== undefined) await ensureAdminToken(ports.store, settings.adminToken);
    return createControlPlane({ ...settings, ...ports });
  },
});
