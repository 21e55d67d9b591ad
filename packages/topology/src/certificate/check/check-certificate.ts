import type { PipelineSpec } from '@autoflow/pipeline';
import { canonicalJson } from '../../canonical-json.js';
import { hashPipeline, hashTopology } from '../../hash.js';
import { jsonPointer } from '../../json-pointer.js';
import type { Limits } from '../../rewrites/rewrite.js';
import { shapeProblems } from '../../shape-problems.js';
import type { Problem, Topology } from '../../topology.js';
import { arrangementOf, leanest, type Arrangement } from './arrangement.js';
import { certificateShape, type ReadStep } from './certificate-shape.js';
import { claimsOf, type Claim, type View } from './claims.js';
import { illegalities } from './legal.js';
import { replay } from './replay.js';
import { Ties } from './ties.js';

/**
 * Why a certificate does not prove that `to` may take the place of `from`, all reasons at once; empty: it does. Pointers into the certificate.
 *
 * It shares no code with the rewrites, their conditions or the legality of topologies but hashes, canonical JSON, shapes and the names of stages:
 * dependencies are traced anew from the definition, every step is played again on an order of stages, and every condition is decided again from
 * that and from `measured`. Working sets that are not measured are taken to fit.
 */
export function checkCertificate(spec: PipelineSpec, from: Topology, to: Topology, certificate: unknown, measured: Limits = {}): Problem[] {
  const parsed = certificateShape.safeParse(certificate);
  if (!parsed.success) return shapeProblems(parsed.error);
  const { steps, ...ends } = parsed.data;
  const ties = new Ties(spec);
  const problems = [
    ...differentEnds(ends, { pipeline: hashPipeline(spec), from: hashTopology(from), to: hashTopology(to) }),
    ...illegal(ties, arrangementOf(from), measured, '/from'),
    ...illegal(ties, arrangementOf(to), measured, '/to'),
  ];

  let now = arrangementOf(from);
  let hash = ends.from;
  for (const [i, step] of steps.entries()) {
    const next = replay(now, step.step);
    if (!next)
      return [
        ...problems,
        { code: 'IMPOSSIBLE_STEP', pointer: jsonPointer('steps', i), message: `there is no room for this step in the topology before it.` },
      ];
    const view = { ties, limits: measured, now, next, step: step.step };
    problems.push(
      ...brokenLinks(step, hash, next, i),
      ...unproved(view, step, i),
      ...illegal(ties, next, measured, jsonPointer('steps', i)),
    );
    [now, hash] = [next, step.to];
  }
  if (hash !== ends.to) problems.push({ code: 'BROKEN_CHAIN', pointer: '/to', message: 'the last step ends at another topology.' });
  return problems;
}

type Ends = { readonly pipeline: string; readonly from: string; readonly to: string };

function differentEnds(claimed: Ends, found: Ends): Problem[] {
  return (['pipeline', 'from', 'to'] as const)
    .filter((end) => claimed[end] !== found[end])
    .map((end) => ({
      code: 'OTHER_SUBJECT',
      pointer: jsonPointer(end),
      message: `the certificate is about another ${end === 'pipeline' ? end : 'topology'}.`,
    }));
}

function illegal(ties: Ties, arrangement: Arrangement, measured: Limits, pointer: string): Problem[] {
  return illegalities(ties, arrangement, measured).map((message) => ({ code: 'ILLEGAL_TOPOLOGY', pointer, message: `${message}.` }));
}

function brokenLinks(step: ReadStep, hash: string, next: Arrangement, i: number): Problem[] {
  return [
    ...(step.from === hash
      ? []
      : [
          {
            code: 'BROKEN_CHAIN',
            pointer: jsonPointer('steps', i, 'from'),
            message: 'the step does not begin where the one before it ended.',
          },
        ]),
    ...(step.to === hashTopology(leanest(next))
      ? []
      : [{ code: 'BROKEN_CHAIN', pointer: jsonPointer('steps', i, 'to'), message: 'the step leads to another topology than it says.' }]),
  ];
}

/** Each condition that the step needs must be there, once, as it is; and there must be no other. */
function unproved(view: View, { conditions }: ReadStep, i: number): Problem[] {
  const needed = new Map(claimsOf(view).map((claim) => [subject(claim), claim]));
  const given = new Map<string, { readonly claim: Claim; readonly pointer: string }>();
  const problems: Problem[] = [];
  for (const [j, claim] of conditions.entries()) {
    const [key, pointer] = [subject(claim), jsonPointer('steps', i, 'conditions', j)];
    if (given.has(key)) problems.push({ code: 'DUPLICATE_CONDITION', pointer, message: `${said(claim)} is stated already.` });
    else given.set(key, { claim, pointer });
  }
  for (const [key, claim] of needed) {
    const { claim: stated, pointer } = given.get(key) ?? { pointer: jsonPointer('steps', i, 'conditions') };
    if (!claim.holds)
      problems.push({ code: 'CONDITION_FAILS', pointer, message: `${said(claim)} does not hold: ${JSON.stringify(claim.facts)}.` });
    if (!stated) problems.push({ code: 'CONDITION_MISSING', pointer, message: `${said(claim)} is not discharged.` });
    else if (!stated.holds || !agrees(claim, stated))
      problems.push({
        code: 'WRONG_FACTS',
        pointer,
        message: `${said(claim)} is stated with other facts than ${JSON.stringify(claim.facts)}.`,
      });
  }
  for (const [key, { claim, pointer }] of given)
    if (!needed.has(key)) problems.push({ code: 'CONDITION_UNKNOWN', pointer, message: `${said(claim)} is no condition of this step.` });
  return problems;
}

/** What was measured may have changed since; that it fits has been decided anew. */
function agrees({ condition, facts }: Claim, stated: Claim): boolean {
  if (condition === 'memory-fit') return facts['records'] === stated.facts['records'];
  return canonicalJson(facts) === canonicalJson(stated.facts);
}

function subject({ condition, on }: Claim): string {
  return JSON.stringify([condition, on]);
}

function said({ condition, on }: Claim): string {
  return `'${condition}'${on.length > 0 ? ` of ${on.join(', ')}` : ''}`;
}
