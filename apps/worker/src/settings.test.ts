import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from './settings.js';

const ENOUGH = { DATABASE_URL: 'postgres://af:secret@db:5432/autoflow', XDG_CACHE_HOME: '/cache' };

describe('readSettings', () => {
  it('takes the defaults for all that can have one', () => {
    expect(readSettings(ENOUGH)).toMatchObject({
      roles: ['workflows', 'control', 'functions', 'feeder'],
      temporal: { address: 'localhost:7233', namespace: 'default' },
      batchStore: { driver: 'postgres', connectionString: ENOUGH.DATABASE_URL },
      releases: '/cache/autoflow/releases',
      logLevel: 'info',
      retention: { meteringDays: 30, batchDays: 14, eventDays: 30, recordingDays: 7 },
      recordShare: 0.01,
      webhooks: { allowPrivate: false },
    });
  });

  it('reads what is given, as Temporal tools do', () => {
    const settings = readSettings({
      ...ENOUGH,
      AUTOFLOW_ROLES: 'functions, control, learner',
      AUTOFLOW_RELEASES: '/releases',
      AUTOFLOW_BATCHES: 'file:/batches',
      AUTOFLOW_SOURCES: '/data/in:/mnt/more',
      AUTOFLOW_PIPELINES: 'orders, returns',
      AUTOFLOW_HOST: 'host-7',
      AUTOFLOW_METRICS_ADDRESS: '[::1]:9464',
      AUTOFLOW_LOG_LEVEL: 'warn',
      AUTOFLOW_PROBE_SHARE: '0.2',
      AUTOFLOW_LEARNER_SHARE: '0.05',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'data',
      TEMPORAL_API_KEY: 'key',
      AUTOFLOW_SECRET_RATES_TOKEN: 'token',
    });
    expect(settings).toMatchObject({
      roles: ['functions', 'control', 'learner'],
      releases: '/releases',
      batchStore: { driver: 'file', folder: '/batches' },
      sources: ['/data/in', '/mnt/more'],
      pipelines: ['orders', 'returns'],
      host: 'host-7',
      metricsAddress: '[::1]:9464',
      logLevel: 'warn',
      probeShare: 0.2,
      learner: { beside: 0.05 },
      temporal: { address: 'temporal:7233', namespace: 'data', apiKey: 'key' },
    });
    expect(settings.secret('RATES_TOKEN')).toBe('token');
    expect(settings.secret('OTHER')).toBeUndefined();
  });

  it('names every problem at once, with its remedy and without the value of a secret', () => {
    const read = () =>
      readSettings({
        DATABASE_URL: 'mysql://root:hunter2@db',
        AUTOFLOW_ROLES: 'workflows,cook',
        AUTOFLOW_BATCHES: 's3',
        AUTOFLOW_LOG_LEVEL: 'loud',
        AUTOFLOW_METRICS_ADDRESS: 'here',
        AUTOFLOW_RELEASES: '',
        AUTOFLOW_SOURCES: '/data:relative',
        AUTOFLOW_PIPELINES: 'orders,',
        AUTOFLOW_BATCH_DAYS: 'many',
        AUTOFLOW_RECORD_SHARE: '1.5',
        AUTOFLOW_PROBE_SHARE: '-1',
        AUTOFLOW_LEARNER_SHARE: '0',
      });
    expect(read).toThrow(SettingsError);
    try {
      read();
    } catch (error) {
      const { problems, message } = error as SettingsError;
      expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual([
        'AUTOFLOW_BATCHES',
        'AUTOFLOW_BATCH_DAYS',
        'AUTOFLOW_LEARNER_SHARE',
        'AUTOFLOW_LOG_LEVEL',
        'AUTOFLOW_METRICS_ADDRESS',
        'AUTOFLOW_PIPELINES',
        'AUTOFLOW_PROBE_SHARE',
        'AUTOFLOW_RECORD_SHARE',
        'AUTOFLOW_RELEASES',
        'AUTOFLOW_ROLES',
        'AUTOFLOW_SOURCES',
        'DATABASE_URL',
      ]);
      expect(message).toContain(`names the role 'cook'`);
      expect(message).not.toContain('hunter2');
    }
  });
});
