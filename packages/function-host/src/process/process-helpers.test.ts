import { describe, expect, it } from 'vitest';
import { Deadline } from './deadline.js';
import { memoryFlags } from './memory-flags.js';
import { redactJson, redactor } from './redact.js';
import { Tail } from './tail.js';

describe('redactor', () => {
  it('blanks secrets and credentials in URLs, and leaves the rest', () => {
    const redact = redactor(['hunter22', 'hunter22-long']);
    expect(redact('hunter22-long and hunter22')).toBe('*** and ***');
    expect(redact('no connection to postgres://me:pass@db:5432/x')).toBe('no connection to postgres://***@db:5432/x');
    expect(redactor(['', 'a'])('a plain text')).toBe('a plain text');
  });
});

describe('redactJson', () => {
  it('blanks texts, numbers and names, and bears any depth', () => {
    const redact = redactor(['hunter22', '123456', 'two\nlines']);
    expect(redactJson({ hunter22: [123456, 12, null, 'two\nlines'] }, redact)).toEqual({ '***': ['***', 12, null, '***'] });
    let endless: unknown = 'x';
    for (let i = 0; i < 100_000; i++) endless = [endless];
    expect(JSON.stringify(redactJson(endless, redact))).toContain('…');
  });
});

describe('Deadline', () => {
  it('fires once, for what was set last', async () => {
    const deadline = new Deadline();
    const fired: string[] = [];
    deadline.set(1, () => fired.push('first'));
    await new Promise<void>((resolve) => deadline.set(1, () => (fired.push('second'), resolve())));
    expect(fired).toEqual(['second']);
  });
});

describe('memoryFlags', () => {
  it('leaves room beside the heap', () => {
    expect(memoryFlags(1024)).toContain('--max-old-space-size=984');
    expect(memoryFlags(64)).toContain('--max-old-space-size=48');
  });
});

describe('Tail', () => {
  it('keeps the end of a stream', () => {
    const tail = new Tail(5);
    tail.add('abc');
    tail.add('defg');
    expect(tail.text).toBe('cdefg');
  });
});
