/** Settings of a Temporal server on loopback over Postgres, as its YAML (of which JSON is a part). */

export function serverConfig({ database, ports, dynamicConfigFile }) {
  const [frontend, ...others] = ports;
  const http = others.pop();
  const service = (grpcPort, more = {}) => ({ rpc: { grpcPort, membershipPort: others.pop(), bindOnIP: '127.0.0.1', ...more } });
  const store = (databaseName, maxConns) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: database.host,
      connectProtocol: 'tcp',
      user: database.username,
      password: database.password,
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  return JSON.stringify({
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: store('temporal', 20), visibility: store('temporal_visibility', 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: service(frontend, { httpPort: http }),
      history: service(others.pop()),
      matching: service(others.pop()),
      worker: service(others.pop()),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${frontend}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '10s' },
  });
}

/** As in the local stack: with the default rates every hop of a workflow waits, and an idle pool drains in two minutes. */
export function dynamicConfig() {
  const values = {
    'history.transferProcessorMaxPollRPS': 5000,
    'history.timerProcessorMaxPollRPS': 5000,
    'history.visibilityProcessorMaxPollRPS': 5000,
    'matching.longPollExpirationInterval': '5s',
    // Tests use their namespaces and search attributes as soon as they are there.
    'system.namespaceCacheRefreshInterval': '1s',
    'system.forceSearchAttributesCacheRefreshOnRead': true,
  };
  return JSON.stringify(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ value }]])));
}
