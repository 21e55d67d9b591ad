export { Config, defineConfig, modulesOf, type ConfiguredModule } from './config.js';
