/** Payloads encrypted before they leave for Temporal: what its histories hold, only those with a key can read. Not for the sandbox. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

/** As the samples of Temporal's SDKs have it, so that their tools recognise it. */
const ENCODING = 'binary/encrypted';
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
// CommonJS whose names Node does not find: only its default export can be imported, and in the built program a named one ends the process.
const { Payload: Message } = proto.temporal.api.common.v1;

export class PayloadKeyError extends Error {
  override readonly name = 'PayloadKeyError';
  readonly code = 'PAYLOAD_KEY';
}

export interface PayloadKey {
  readonly id: string;
  readonly key: Buffer;
}

/** `id:base64,id:base64`: the first encrypts, all decrypt. Throws `PayloadKeyError` with everything that is wrong, and nothing of a key. */
export function parsePayloadKeys(text: string): readonly PayloadKey[] {
  const keys = text.split(',').map((part) => {
    const [, id, base64] = /^\s*([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(part) ?? [];
    return { id, key: Buffer.from(base64 ?? '', 'base64') };
  });
  const problems = keys.flatMap(({ id, key }, i) => {
    if (id === undefined) return [`key ${i + 1} is not of the form id:base64`];
    if (key.length !== KEY_BYTES) return [`key '${id}' has ${key.length} bytes`];
    return keys.findIndex((other) => other.id === id) < i ? [`there are two keys '${id}'`] : [];
  });
  if (problems.length > 0)
    throw new PayloadKeyError(
      `${problems.join('; ')}. Give id:base64 of ${KEY_BYTES} random bytes each, such as of \`openssl rand -base64 32\``,
    );
  return keys as PayloadKey[];
}

/** Payloads that are not encrypted pass, so that keys can be introduced while executions run. */
export function payloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [first] = keys;
  if (first === undefined) throw new PayloadKeyError('there is no key');
  return {
    encode: (payloads) => Promise.resolve(payloads.map((payload) => encrypt(payload, first))),
    // A promise that rejects, not a throw: the SDK waits for it.
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

/** What Workers and Clients take; undefined where no keys are given. */
export function dataConverterOf(keys: string | undefined): DataConverter | undefined {
  return keys === undefined ? undefined : { payloadCodecs: [payloadCodec(parsePayloadKeys(keys))] };
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  const sealed = Buffer.concat([iv, cipher.update(Message.encode(payload).finish()), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(id) }, data: sealed };
}

function decrypt(payload: Payload, keys: readonly PayloadKey[]): Payload {
  const { metadata, data } = payload;
  if (textOf(metadata?.['encoding']) !== ENCODING) return payload;
  const id = textOf(metadata?.['encryption-key-id']);
  const known = keys.find((each) => each.id === id);
  if (known === undefined)
    throw new PayloadKeyError(
      `a payload is encrypted with the key '${id}', which is not among those of AUTOFLOW_PAYLOAD_KEYS. Add it behind the first`,
    );
  try {
    const sealed = Buffer.from(data ?? []);
    const decipher = createDecipheriv(ALGORITHM, known.key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return Message.decode(Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]));
  } catch (error) {
    throw new PayloadKeyError(
      `a payload cannot be decrypted with the key '${id}': that key is another one here, or the payload was altered`,
      {
        cause: error,
      },
    );
  }
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();
