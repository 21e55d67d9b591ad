import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AUTONOMY, DEFAULT_SETTINGS, freezeProblems, frozenUntil, mayAct, type FreezeWindow, type OperationSettings } from './index.js';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/Sao_Paulo',
  'Pacific/Chatham',
  'Africa/Casablanca',
];
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const HOUR = 3_600_000;
const two = (n: number) => String(n).padStart(2, '0');

const time = fc
  .tuple(fc.constantFrom(...DAYS), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([day, hour, minute]) => `${day} ${two(hour)}:${two(minute)}`);
const anyTimeZone = fc.constantFrom(...ZONES);
const freeze: fc.Arbitrary<FreezeWindow> = fc
  .tuple(time, time, anyTimeZone)
  .filter(([from, to]) => from !== to)
  .map(([from, to, timeZone]) => ({ window: `${from} - ${to}`, timeZone }));
const anyInstant = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2031, 0) });
/** Within days of the changes of clocks in spring and autumn, north and south. */
const nearChange = fc
  .tuple(fc.integer({ min: 2020, max: 2030 }), fc.constantFrom(2, 3, 9, 10), fc.integer({ min: 0, max: 31 * 24 * 60 }))
  .map(([year, month, minute]) => Date.UTC(year, month) + minute * 60_000);
const instant = fc.oneof(anyInstant, nearChange);

const formats = new Map<string, Intl.DateTimeFormat>();
function format(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${timeZone} ${Object.keys(options).join()}`;
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat('en-US', { timeZone, ...options }));
  return formats.get(name)!;
}

/** The naive answer, by what the clock shows: right wherever no clock changes nearby. */
function byClock({ window, timeZone }: FreezeWindow, at: number): boolean {
  const shown = format(timeZone, { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
  const minutes = (text: string) => {
    const [day = '', clock = ''] = text.split(' ');
    const [hour = 0, minute = 0] = clock.split(':').map(Number);
    return (DAYS.indexOf(day) * 24 + hour) * 60 + minute;
  };
  const [from = '', to = ''] = window.split(' - ');
  const [a, b, now] = [minutes(from), minutes(to), minutes(shown.replace(',', ''))];
  return a < b ? a <= now && now < b : now >= a || now < b;
}
const offsetAt = (at: number, timeZone: string) =>
  format(timeZone, { timeZoneName: 'longOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value;
const isFrozen = (window: FreezeWindow, at: number) => frozenUntil(window, new Date(at)) !== undefined;

describe('a freeze window', () => {
  test('holds by the clock of its time zone', () => {
    const weekend = { window: 'Fri 16:00 - Mon 08:00', timeZone: 'Europe/Berlin' };
    const at = (text: string) => frozenUntil(weekend, new Date(text))?.toISOString();
    expect(at('2026-07-03T13:59:59.999Z')).toBeUndefined();
    expect(at('2026-07-03T14:00:00Z')).toBe('2026-07-06T06:00:00.000Z');
    expect(at('2026-07-06T05:59:59.999Z')).toBe('2026-07-06T06:00:00.000Z');
    expect(at('2026-07-06T06:00:00Z')).toBeUndefined();
    expect(at('2026-01-02T14:30:00Z')).toBeUndefined();
    expect(at('2026-01-02T15:00:00Z')).toBe('2026-01-05T07:00:00.000Z');
  });

  test('is an hour longer or shorter when clocks change in it', () => {
    const weekend = { window: 'Sat 00:00 - Mon 00:00', timeZone: 'Europe/Berlin' };
    const minutes = (from: string) => {
      let n = 0;
      for (let at = Date.parse(from); isFrozen(weekend, at); at += 60_000) n++;
      return n / 60;
    };
    expect([minutes('2026-03-27T23:00:00Z'), minutes('2026-10-23T22:00:00Z'), minutes('2026-06-05T22:00:00Z')]).toEqual([47, 49, 48]);
  });

  test('begins at the first and ends at the last of two equal times, and at the jump where its time is skipped', () => {
    const zone = 'Europe/Berlin';
    const at = (window: string, text: string) => isFrozen({ window, timeZone: zone }, Date.parse(text));
    // 25 October 2026: 02:00 to 03:00 comes twice, at 00:00Z and at 01:00Z.
    expect(at('Sun 02:30 - Sun 12:00', '2026-10-25T00:29:00Z')).toBe(false);
    expect(at('Sun 02:30 - Sun 12:00', '2026-10-25T00:30:00Z')).toBe(true);
    expect(at('Sun 02:30 - Sun 12:00', '2026-10-25T01:10:00Z')).toBe(true);
    expect(at('Sat 12:00 - Sun 02:30', '2026-10-25T00:45:00Z')).toBe(true);
    expect(at('Sat 12:00 - Sun 02:30', '2026-10-25T01:29:00Z')).toBe(true);
    expect(at('Sat 12:00 - Sun 02:30', '2026-10-25T01:30:00Z')).toBe(false);
    // 29 March 2026: 02:00 to 03:00 does not come; the jump is at 01:00Z.
    expect(at('Sun 02:30 - Sun 12:00', '2026-03-29T00:59:00Z')).toBe(false);
    expect(at('Sun 02:30 - Sun 12:00', '2026-03-29T01:00:00Z')).toBe(true);
    expect(at('Sat 12:00 - Sun 02:30', '2026-03-29T00:59:00Z')).toBe(true);
    expect(at('Sat 12:00 - Sun 02:30', '2026-03-29T01:00:00Z')).toBe(false);
  });

  test('agrees with the clock wherever clocks do not change nearby, and never holds less', () => {
    fc.assert(
      fc.property(freeze, instant, (window, at) => {
        const [holds, shown] = [isFrozen(window, at), byClock(window, at)];
        if (shown) expect(holds).toBe(true);
        const changes = [-3, -2, -1, 1, 2, 3].some(
          (hours) => offsetAt(at + hours * HOUR, window.timeZone) !== offsetAt(at, window.timeZone),
        );
        if (!changes) expect(holds).toBe(shown);
      }),
      { numRuns: 1000 },
    );
  });

  test('ends when it says, and not before', () => {
    fc.assert(
      fc.property(freeze, instant, (window, at) => {
        const until = frozenUntil(window, new Date(at))?.getTime();
        if (until === undefined) return;
        expect(until).toBeGreaterThan(at);
        expect(until - at).toBeLessThanOrEqual(7 * 24 * HOUR + HOUR);
        expect([isFrozen(window, until - 1), frozenUntil(window, new Date(until - 1))?.getTime()]).toEqual([true, until]);
        // Minutes apart, an end and the next beginning may fall into an hour that comes twice.
        if (byClock(window, until)) return;
        expect(isFrozen(window, until)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [{ window: 'weekend', timeZone: 'UTC' }, ['/window']],
    [{ window: 'Fri 25:00 - Mon 08:00', timeZone: 'UTC' }, ['/window']],
    [{ window: 'Fri 16:00', timeZone: 'UTC' }, ['/window']],
    [{ window: 'Fri 16:00 - Fri 16:00', timeZone: 'UTC' }, ['/window']],
    [{ window: 'Fri 16:00 - Mon 08:00', timeZone: 'Mars/Olympus' }, ['/timeZone']],
    [{ window: '', timeZone: '' }, ['/window', '/timeZone']],
    [{ window: 'Fri 16:00 – Mon 08:00', timeZone: 'Europe/Berlin' }, []],
  ])('%j', (window, pointers) => expect(freezeProblems(window).map(({ pointer }) => pointer)).toEqual(pointers));
});

describe('AutoFlow by itself', () => {
  const now = new Date('2026-11-25T12:00:00Z'); // a Wednesday
  const frozen = { window: 'Wed 00:00 - Thu 00:00', timeZone: 'UTC' };
  const canary = { kind: 'canary', version: 'v2' } as const;
  const promote = { kind: 'promote', version: 'v2' } as const;
  const with_ = (settings: Partial<OperationSettings>): OperationSettings => ({ ...DEFAULT_SETTINGS, ...settings });
  const code = (settings: Partial<OperationSettings>, what: Parameters<typeof mayAct>[2]) => {
    const verdict = mayAct(with_(settings), now, what);
    return verdict.allowed ? 'yes' : verdict.code;
  };

  test('goes as far as it is let', () => {
    const acts = [{ kind: 'propose' }, canary, promote, { kind: 'allocate' }, { kind: 'roll-back' }] as const;
    const table = Object.fromEntries(AUTONOMY.map((autonomy) => [autonomy, acts.map((act) => code({ autonomy }, act))]));
    expect(table).toEqual({
      off: ['AUTONOMY', 'AUTONOMY', 'AUTONOMY', 'AUTONOMY', 'yes'],
      suggest: ['yes', 'AUTONOMY', 'AUTONOMY', 'AUTONOMY', 'yes'],
      canary: ['yes', 'yes', 'AUTONOMY', 'AUTONOMY', 'yes'],
      auto: ['yes', 'yes', 'yes', 'yes', 'yes'],
    });
  });

  test('moves nothing while frozen, and says until when', () => {
    const settings = { autonomy: 'auto', freezes: [frozen, { window: 'Wed 11:00 - Fri 09:00', timeZone: 'UTC' }] } as const;
    expect([promote, canary, { kind: 'allocate' } as const].map((act) => code(settings, act))).toEqual(['FROZEN', 'FROZEN', 'FROZEN']);
    expect([code(settings, { kind: 'propose' }), code(settings, { kind: 'roll-back' })]).toEqual(['yes', 'yes']);
    expect(mayAct(with_(settings), now, promote)).toMatchObject({
      until: new Date('2026-11-27T09:00:00Z'),
      reason: 'The freeze Wed 11:00 - Fri 09:00 (UTC) holds until 2026-11-27T09:00:00.000Z.',
    });
    expect(mayAct(with_(settings), new Date('2026-11-27T09:00:00Z'), promote)).toEqual({ allowed: true });
  });

  test('leads no traffic away from a pinned version', () => {
    expect([canary, promote].map((act) => code({ autonomy: 'auto', pinned: 'v1' }, act))).toEqual(['PINNED', 'PINNED']);
    expect(code({ autonomy: 'auto', pinned: 'v2' }, promote)).toBe('yes');
    expect(code({ autonomy: 'auto', pinned: 'v1' }, { kind: 'allocate' })).toBe('yes');
  });

  test('spends no more than the cap', () => {
    expect(code({ autonomy: 'auto', spendCapUsd: 0.5 }, { ...canary, spentUsd: 0.5 })).toBe('yes');
    expect(code({ autonomy: 'auto', spendCapUsd: 0.5 }, { ...canary, spentUsd: 0.51 })).toBe('SPEND_CAP');
    expect(code({ autonomy: 'auto', spendCapUsd: 0 }, { ...canary, spentUsd: 0.01 })).toBe('SPEND_CAP');
    expect(code({ autonomy: 'auto' }, { ...canary, spentUsd: 1e9 })).toBe('yes');
  });

  test('never does more with less autonomy, with a further freeze, or with a pin; always goes back', () => {
    const act = fc.oneof(
      fc.constant({ kind: 'propose' as const }),
      fc.record({
        kind: fc.constant('canary' as const),
        version: fc.constantFrom('v1', 'v2'),
        spentUsd: fc.double({ min: 0, max: 2, noNaN: true }),
      }),
      fc.record({ kind: fc.constant('promote' as const), version: fc.constantFrom('v1', 'v2') }),
      fc.constant({ kind: 'allocate' as const }),
      fc.constant({ kind: 'roll-back' as const }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...AUTONOMY),
        fc.array(freeze, { maxLength: 2 }),
        freeze,
        act,
        instant,
        (autonomy, freezes, further, what, at) => {
          const allowed = (settings: OperationSettings) => mayAct(settings, new Date(at), what).allowed;
          const settings = { autonomy, freezes };
          const less = AUTONOMY[Math.max(0, AUTONOMY.indexOf(autonomy) - 1)]!;
          const narrower: OperationSettings[] = [
            { ...settings, autonomy: less },
            { autonomy, freezes: [...freezes, further] },
            { ...settings, pinned: 'v1' },
            { ...settings, spendCapUsd: 1 },
          ];
          for (const narrow of narrower) if (allowed(narrow)) expect(allowed(settings)).toBe(true);
          if (what.kind === 'roll-back') expect(narrower.every(allowed)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
