export { type BackendName, loadBackend, type TensorBackend } from './backend.js';
