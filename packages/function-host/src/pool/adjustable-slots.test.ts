import type { SlotReserveContext } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { AdjustableSlots } from './adjustable-slots.js';

const context = {} as SlotReserveContext;
const never = new AbortController().signal;

describe('AdjustableSlots', () => {
  it('issues no more permits than its limit, and more at once when it is raised', async () => {
    const slots = new AdjustableSlots(1);
    await slots.reserveSlot(context, never);
    expect(slots.tryReserveSlot()).toBeNull();
    const second = slots.reserveSlot(context, never);
    slots.setLimit(2);
    await second;
    expect(slots.permits).toBe(2);
  });

  it('hands a released permit to the longest waiting, and none to one that gave up', async () => {
    const slots = new AdjustableSlots(1);
    await slots.reserveSlot(context, never);
    const giving = new AbortController();
    const given = slots.reserveSlot(context, giving.signal);
    const next = slots.reserveSlot(context, never);
    giving.abort(new Error('aborted'));
    await expect(given).rejects.toThrow('aborted');
    slots.releaseSlot();
    await next;
    expect(slots.permits).toBe(1);
  });

  it('is drained when the last permit comes back at limit 0', async () => {
    const slots = new AdjustableSlots(2);
    await slots.reserveSlot(context, never);
    slots.setLimit(0);
    const drained = slots.drained();
    expect(slots.tryReserveSlot()).toBeNull();
    slots.releaseSlot();
    await expect(drained).resolves.toBe(true);
    await expect(slots.drained()).resolves.toBe(true);
  });

  it('is not drained when the limit is raised again meanwhile', async () => {
    const slots = new AdjustableSlots(1);
    await slots.reserveSlot(context, never);
    slots.setLimit(0);
    const drained = slots.drained();
    slots.setLimit(1);
    await expect(drained).resolves.toBe(false);
  });
});
