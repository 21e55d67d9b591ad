/** What a write that was sent with a key has answered, for whoever sends it again. */
export interface RememberedAnswer {
  readonly status: number;
  readonly etag?: string;
  /** Undefined: it held a secret, and was not kept. */
  readonly body?: string;
}
export type Begun =
  /** It is this caller's to do now; `finish` or `forget` follows. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'answered'; readonly answer: RememberedAnswer }
  /** The key stands for another request. */
  | { readonly kind: 'reused'; readonly route: string }
  /** The same request is being worked on. */
  | { readonly kind: 'running' };

interface Key {
  /** Keys of one caller mean nothing to another. */
  readonly actor: string;
  readonly key: string;
}
export interface IdempotencyStore {
  /**
   * Of any number of callers with the same key at the same time, one is told `begun`. A request that was begun a minute ago and never
   * finished (its process died) may be begun again. Rows older than the retention are dropped on the way.
   */
  begin(request: Key & { route: string; digest: Uint8Array; retentionHours: number }): Promise<Begun>;
  finish(request: Key & { answer: RememberedAnswer }): Promise<void>;
  /** Nothing was done: the same key may be sent again. */
  forget(request: Key): Promise<void>;
}
