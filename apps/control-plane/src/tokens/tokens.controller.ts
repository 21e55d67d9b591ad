import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { IssuedToken, NewToken, RevokeToken, RotateToken, Token, TokenPage, TokensQuery } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, pageOf, Post, ProblemError, type ProblemCode } from '@autoflow/http';
import type { Store, TokenRow } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';

const BODY: readonly ProblemCode[] = [...BODY_PROBLEMS];

/** Who may do what. What a token is, is answered by the request that makes it, and never again. */
@Controller('v1/tokens')
export class TokensController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'All tokens, without what they are', access: 'admin', answers: TokenPage })
  async list(@Query({ schema: TokensQuery }) { limit, cursor }: z.output<typeof TokensQuery>) {
    const rows = await this.store.tokens.list({ limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf<TokenRow, TokenRow>(
      rows,
      limit,
      (row) => row,
      ({ name }) => name,
    );
  }

  @Get(':token', { summary: 'One token by name', access: 'admin', answers: Token, problems: ['TOKEN_UNKNOWN'] })
  async show(@Param('token') name: string) {
    const row = await this.store.tokens.get(name);
    if (row === undefined) throw new ProblemError('TOKEN_UNKNOWN', `There is no token ${JSON.stringify(name)}.`);
    return row;
  }

  @Post('', {
    summary: 'Make a token; its answer is the only one that has it',
    access: 'admin',
    answers: IssuedToken,
    status: 201,
    idempotent: 'secret',
    problems: [...BODY, 'ALREADY_EXISTS'],
  })
  async create(@Body({ schema: NewToken }) { reason, expiresAt, ...body }: z.output<typeof NewToken>, @Caller() by: By) {
    return issued(await this.store.tokens.create({ ...body, ...expiry(expiresAt), by: by(reason) }));
  }

  @Post(':token\\:rotate', {
    summary: 'A new token in its place; the old one is taken for the grace period more',
    note: "The last admin's old token is taken at least until the new one was used: an answer that is lost locks nobody out.",
    access: 'admin',
    answers: IssuedToken,
    idempotent: 'secret',
    problems: [...BODY, 'TOKEN_UNKNOWN', 'LAST_ADMIN'],
  })
  async rotate(
    @Param('token') name: string,
    @Body({ schema: RotateToken }) { reason, expiresAt, graceSeconds }: z.output<typeof RotateToken>,
    @Caller() by: By,
  ) {
    const { expiresAt: before } = await this.show(name);
    if (before !== undefined && before.getTime() <= Date.now() && expiresAt === undefined)
      throw new ProblemError('INVALID_BODY', `The token ${name} has expired, and so would the new one: give expiresAt.`, [
        { pointer: '/expiresAt', message: 'is needed for a token that has expired' },
      ]);
    return issued(await this.store.tokens.rotate({ name, graceSeconds, ...expiry(expiresAt), by: by(reason) }));
  }

  @Post(':token\\:revoke', {
    summary: 'Take it no more: here from the answer on, by ingest within 2 seconds of it',
    access: 'admin',
    answers: Token,
    idempotent: 'kept',
    problems: [...BODY, 'TOKEN_UNKNOWN', 'LAST_ADMIN'],
  })
  revoke(@Param('token') name: string, @Body({ schema: RevokeToken }) { reason }: z.output<typeof RevokeToken>, @Caller() by: By) {
    return this.store.tokens.revoke({ name, by: by(reason) });
  }
}

function expiry(expiresAt: string | undefined): { expiresAt?: Date } {
  return expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
}

function issued({ row, token }: { readonly row: TokenRow; readonly token: string }) {
  return { ...row, token };
}
