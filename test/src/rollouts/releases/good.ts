import { orders } from '../orders.js';

export const release = orders((n) => n);
