import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { dataConverterOf, parsePayloadKeys, payloadCodec, PayloadKeyError } from './payload-codec.js';

const key = (id: string, bytes = randomBytes(32)) => `${id}:${bytes.toString('base64')}`;
const [old, fresh] = [key('old'), key('fresh')];
const codecOf = (keys: string) => payloadCodec(parsePayloadKeys(keys));
const payload = defaultPayloadConverter.toPayload({ iban: 'DE99-SECRET' }) as Payload;

test('what is encrypted holds nothing of the payload, differs each time, and comes back', async () => {
  const codec = codecOf(old);
  const [a, b] = (await codec.encode([payload, payload])) as [Payload, Payload];
  expect(Buffer.from(a.data!).includes('SECRET')).toBe(false);
  expect(a.data).not.toEqual(b.data);
  const [back] = await codec.decode([a]);
  expect(defaultPayloadConverter.fromPayload(back!)).toEqual({ iban: 'DE99-SECRET' });
});

test('keys are changed while executions run: the first encrypts, all decrypt, plain payloads pass', async () => {
  const before = await codecOf(old).encode([payload]);
  const after = await codecOf(`${fresh},${old}`).encode([payload]);
  const both = await codecOf(`${fresh}, ${old}`).decode([...before, ...after, payload]);
  expect(both.map((each) => defaultPayloadConverter.fromPayload(each))).toEqual(Array(3).fill({ iban: 'DE99-SECRET' }));
  await expect(codecOf(old).decode(after)).rejects.toThrow(/key 'fresh', which is not among those of AUTOFLOW_PAYLOAD_KEYS/);
});

test('a wrong key and an altered payload are said to be so', async () => {
  const [sealed] = (await codecOf(old).encode([payload])) as [Payload];
  await expect(codecOf(key('old')).decode([sealed])).rejects.toThrow(PayloadKeyError);
  const altered = Buffer.from(sealed.data!);
  altered[20]! ^= 1;
  await expect(codecOf(old).decode([{ ...sealed, data: altered }])).rejects.toThrow(/was altered/);
  await expect(codecOf(old).decode([{ ...sealed, data: Buffer.from('short') }])).rejects.toThrow(PayloadKeyError);
});

test('a bad setting is refused with all that is wrong and nothing of a key', () => {
  const secret = randomBytes(16).toString('base64');
  const read = () => parsePayloadKeys(`${old},a:${secret},nonsense!,${old}`);
  expect(read).toThrow(/key 'a' has 16 bytes; key 3 is not of the form id:base64; there are two keys 'old'/);
  expect(read).not.toThrow(secret);
  expect(() => parsePayloadKeys('')).toThrow(PayloadKeyError);
  expect(dataConverterOf(undefined)).toBeUndefined();
});
