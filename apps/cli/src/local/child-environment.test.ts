import { expect, it } from 'vitest';
import { childEnvironment } from './child-environment.js';

const shell = {
  PATH: '/bin',
  AUTOFLOW_ROLES: 'control',
  AUTOFLOW_API_HOST: '0.0.0.0',
  AUTOFLOW_LOG_LEVEL: 'warn',
  AUTOFLOW_SECRET_OWN: 'x',
};

it('a child gets nothing of AutoFlow from the shell but the log level', () => {
  expect(childEnvironment(shell, { DATABASE_URL: 'postgres://db' })).toEqual({
    PATH: '/bin',
    AUTOFLOW_LOG_LEVEL: 'warn',
    DATABASE_URL: 'postgres://db',
  });
});

it('the worker gets secrets, too, and what is set goes before what is inherited', () => {
  expect(childEnvironment(shell, { AUTOFLOW_ROLES: 'functions', PATH: '/usr/bin' }, { worker: true })).toEqual({
    PATH: '/usr/bin',
    AUTOFLOW_LOG_LEVEL: 'warn',
    AUTOFLOW_SECRET_OWN: 'x',
    AUTOFLOW_ROLES: 'functions',
  });
});
