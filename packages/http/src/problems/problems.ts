/** Every problem that an API of AutoFlow answers with: its status, what it means and what to do. Codes are stable. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
  /** The same request may succeed later without anybody doing anything. */
  readonly retryable?: boolean;
  /** Answered as Retry-After; of every 503 by default 2. */
  readonly retryAfterS?: number;
}

export const PROBLEMS = {
  MALFORMED_REQUEST: {
    status: 400,
    title: 'The request cannot be read',
    remedy: 'Check the URL and the headers against /v1/openapi.json.',
  },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON', remedy: 'Send one JSON object, encoded in UTF-8.' },
  INVALID_PARAMETER: {
    status: 400,
    title: 'A parameter or header is not valid',
    remedy: 'Correct what `errors` names; /v1/openapi.json has the permitted values.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'The request carries no valid token',
    remedy: 'Send `Authorization: Bearer TOKEN`. `autoflow up` prints where the admin token lies.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'The token may not do this',
    remedy: 'Use a token with the role that `detail` names; what each route needs is in /v1/openapi.json.',
  },
  ROUTE_UNKNOWN: { status: 404, title: 'There is no such resource', remedy: 'Check method and path against /v1/openapi.json.' },
  PIPELINE_UNKNOWN: {
    status: 404,
    title: 'There is no such pipeline',
    remedy: 'List them (`autoflow pipelines list`), or deploy it: a pipeline takes records from its first `autoflow deploy` on.',
  },
  RELEASE_UNKNOWN: {
    status: 404,
    title: 'There is no such release of the pipeline',
    remedy: 'List them with GET /v1/pipelines/{pipeline}/releases.',
  },
  VERSION_UNKNOWN: {
    status: 404,
    title: 'There is no such version of the pipeline',
    remedy: 'List them (`autoflow versions list PIPELINE`).',
  },
  CERTIFICATE_NONE: {
    status: 404,
    title: 'The version has no certificate',
    remedy: 'See what it changes with `autoflow versions diff`; only what an optimizer proposes is certified step by step.',
  },
  STAGE_UNKNOWN: { status: 404, title: 'The version has no such stage', remedy: 'Use a stage that `detail` names.' },
  BACKFILL_UNKNOWN: {
    status: 404,
    title: 'There is no such backfill of the pipeline',
    remedy: 'List them (`autoflow backfills list PIPELINE`).',
  },
  ROLLOUT_UNKNOWN: {
    status: 404,
    title: 'There is no such rollout of the pipeline',
    remedy: 'List them (`autoflow rollout list PIPELINE`).',
  },
  OPTIMIZATION_UNKNOWN: {
    status: 404,
    title: 'There is no such optimization of the pipeline',
    remedy: 'List them with `autoflow optimizations list PIPELINE`.',
  },
  SCORER_UNKNOWN: {
    status: 404,
    title: 'There is no such scorer of the pipeline',
    remedy: 'List them with `autoflow scorer list PIPELINE`.',
  },
  TRAINING_UNKNOWN: {
    status: 404,
    title: 'There is no such training',
    remedy: 'List them with `autoflow trainings list`; that of an optimization is called `optimization-` and its id.',
  },
  TRAINING_WITHOUT_RESULT: {
    status: 409,
    title: 'The training has no best version yet',
    remedy: 'Look at `autoflow trainings show ID`: with the first validation it has one.',
  },
  CALIBRATION_UNKNOWN: {
    status: 404,
    title: 'There is no such calibration of the pipeline',
    remedy: 'Start another one (`autoflow calibrate PIPELINE`); Temporal forgets those that ended before its retention.',
  },
  RECORD_UNKNOWN: {
    status: 404,
    title: 'There is no such record in this scope',
    remedy: 'Check key and scope; the scope of direct starts is `live`, that of a backfill is in the backfill.',
  },
  TOKEN_UNKNOWN: { status: 404, title: 'There is no such token', remedy: 'List them (`autoflow tokens list`).' },
  DEAD_LETTER_UNKNOWN: { status: 404, title: 'There is no such dead letter', remedy: 'List them (`autoflow dead-letters list PIPELINE`).' },
  WEBHOOK_UNKNOWN: { status: 404, title: 'There is no such webhook', remedy: 'List them (`autoflow webhooks list`).' },
  TOO_MANY_WEBHOOKS: {
    status: 409,
    title: 'There are too many webhooks',
    remedy: 'Remove one that nobody needs (`autoflow webhooks remove`).',
  },
  DEAD_LETTER_SETTLED: {
    status: 409,
    title: 'The dead letter is no longer open',
    remedy: 'See what became of it with `autoflow dead-letters show PIPELINE ID`.',
  },
  DEAD_LETTER_KEYLESS: {
    status: 409,
    title: 'The dead letter does not go by the key of its record',
    remedy: 'Discard it (`autoflow dead-letters discard PIPELINE ID`), and submit the record anew, under a key of its own.',
  },
  LAST_ADMIN: { status: 409, title: 'Nobody could let anybody in', remedy: 'Create another admin token without an expiry first.' },
  IDEMPOTENCY_KEY_IN_USE: {
    status: 409,
    title: 'The same request is being worked on',
    remedy: 'Send it again with the same key in a moment.',
    retryable: true,
  },
  ANSWER_NOT_KEPT: {
    status: 409,
    title: 'The request was done before, and its answer is not kept',
    remedy: 'If the answer was lost, rotate the token.',
  },
  ALREADY_EXISTS: { status: 409, title: 'The name is taken', remedy: 'Choose another name.' },
  ROLLOUT_ENDED: {
    status: 409,
    title: 'The rollout has ended',
    remedy: 'Start another one; to move traffic without one, use `autoflow rollback` or `autoflow versions stable`.',
  },
  ROLLOUT_ACTIVE: {
    status: 409,
    title: 'Another rollout of the pipeline has not ended',
    remedy: 'Wait for it, or abort it (`autoflow rollout abort PIPELINE`).',
  },
  ROLLOUT_NOT_IN_CANARY: {
    status: 409,
    title: 'The rollout has no canary traffic',
    remedy: 'Wait until it has, or make the version stable by hand (`autoflow versions stable`).',
  },
  ROLLOUT_REFUSED: {
    status: 409,
    title: 'The version may not be rolled out',
    remedy: '`detail` says why and what to do.',
  },
  OPTIMIZATION_RUNNING: {
    status: 409,
    title: 'The pipeline is being optimized already',
    remedy: 'Wait for the optimization that `detail` names, or cancel it.',
    retryable: true,
  },
  BACKFILL_ENDED: {
    status: 409,
    title: 'The backfill has ended',
    remedy: 'Start another backfill; records that have an outcome in its scope are skipped.',
  },
  RECORDS_CONFLICT: {
    status: 409,
    title: 'The key is that of another record',
    remedy:
      'A key names one record for ever in its scope: send other content with another key, or see what is there (`autoflow records show`).',
  },
  SOURCE_TOO_LONG: {
    status: 422,
    title: 'The source is too long for a dry run',
    remedy: 'Give a limit, and multiply what it answers.',
  },
  RECORD_RUNNING: {
    status: 409,
    title: 'The record is running together with others',
    remedy: 'Wait for its outcome. To end its execution with all its records, cancel the workflow that `detail` names.',
  },
  RECORD_ENDED: { status: 409, title: 'The record has an outcome already', remedy: 'See it with `autoflow records show`.' },
  STALE_REVISION: {
    status: 412,
    title: 'Somebody was faster',
    remedy: 'Read the resource again, decide again, and send its new ETag as If-Match.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    remedy:
      'Send less at once; records go through ingest as NDJSON, which has no bound, or through a backfill; see what the bundle of a release holds.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The body is not sent as JSON',
    remedy: 'Send `Content-Type: application/json`, records also as `application/x-ndjson`.',
  },
  INVALID_BODY: { status: 422, title: 'The body is not what this resource takes', remedy: 'Correct what `errors` points to.' },
  SPEC_INVALID: {
    status: 422,
    title: 'The wiring is not that of a pipeline',
    remedy: 'Make the specification with `autoflow pipelines register` from the pipeline’s module.',
  },
  RELEASE_HASH_WRONG: {
    status: 422,
    title: 'The release is not what its hash names',
    remedy: 'Upload the code and the manifest as `autoflow deploy` builds them; nothing was kept.',
  },
  RELEASE_NOT_UPLOADED: {
    status: 409,
    title: 'The code of the release is not here',
    remedy: 'Upload it first (PUT /v1/releases/{hash}); `autoflow deploy` does.',
  },
  VERSION_ILLEGAL: {
    status: 422,
    title: 'The topology is not a legal one of this pipeline',
    remedy: 'Correct what `errors` points to; `autoflow check PIPELINE` lists what depends on what.',
  },
  ENVELOPE_INVALID: {
    status: 422,
    title: 'The envelope does not fit the topology',
    remedy: 'Correct what `errors` points to, or leave the envelope out for the widest one.',
  },
  ALLOCATION_OUT_OF_BOUNDS: {
    status: 422,
    title: 'The allocation is outside its bounds',
    remedy: 'Stay inside the envelope of the version and the limits of its resources.',
  },
  NOT_IDENTIFIABLE: {
    status: 422,
    title: 'The measurements do not tell enough for this question',
    remedy: 'Measure what `errors` names: let the version run, with other batch sizes or memory sizes where it says so.',
  },
  CLAMP_INVALID: {
    status: 422,
    title: 'The clamp leaves nothing of the envelope',
    remedy: 'Correct what `errors` points to; `autoflow allocation show PIPELINE` has the envelope.',
  },
  SOURCE_UNREADABLE: {
    status: 422,
    title: 'The worker cannot read the source',
    remedy: 'Correct what `detail` says; paths and secrets are those of the control worker.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The Idempotency-Key was sent before with another request',
    remedy: 'Send another key for another request, or the same body again.',
  },
  RECORDS_INVALID: {
    status: 422,
    title: 'No record is one that the pipeline takes',
    remedy: 'Correct what `errors` points to; `autoflow pipelines show PIPELINE` has the input.',
  },
  REVISION_REQUIRED: {
    status: 428,
    title: 'A change of state needs If-Match',
    remedy: 'Send the ETag of the resource as If-Match, or `If-Match: *` to change it whatever it is by now.',
  },
  BACKLOG_FULL: {
    status: 429,
    title: 'Too many records of the pipeline wait already',
    remedy: 'Wait as long as Retry-After says and send the same records again: what was accepted is known by its key.',
    retryable: true,
    retryAfterS: 2,
  },
  RATE_LIMITED: { status: 429, title: 'Too many requests', remedy: 'Wait as long as Retry-After says.', retryable: true },
  INTERNAL: {
    status: 500,
    title: 'The service failed',
    remedy: 'Report it with the request id; the log of the service has the error.',
  },
  STORE_FAILED: { status: 500, title: 'The database refused', remedy: 'See `detail`; the log of the service has the error.' },
  STORE_UNAVAILABLE: { status: 503, title: 'The database is not available', remedy: 'Send the same request again later.', retryable: true },
  TEMPORAL_UNAVAILABLE: { status: 503, title: 'Temporal is not available', remedy: 'Send the same request again later.', retryable: true },
  TOO_MANY_STREAMS: {
    status: 503,
    title: 'Too many streams of events are open',
    remedy: 'Close those that nobody reads, or come again later.',
    retryable: true,
  },
  WORKER_UNAVAILABLE: {
    status: 503,
    title: 'No control worker has answered in time',
    remedy: 'See that a worker with the control role runs (`autoflow doctor`), and send the same request again.',
    retryable: true,
  },
  NOT_READY: {
    status: 503,
    title: 'A part that the service needs does not answer',
    remedy: 'See `errors`; ask again later.',
    retryable: true,
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What can be wrong with any body. */
export const BODY_PROBLEMS = [
  'MALFORMED_JSON',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'INVALID_BODY',
] as const satisfies readonly ProblemCode[];
