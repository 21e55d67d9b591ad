import { DefinitionError } from './definition-error.js';

const NAME = /^[a-z][a-z0-9-]*$/;
const LONGEST = 100;

/** Names become workflow types, activity types and keys of objects, so they are plain and collide with nothing that is there already. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || !NAME.test(name))
    throw new DefinitionError(
      'BAD_NAME',
      `${what} is named ${JSON.stringify(name) ?? String(name)}`,
      `use a name of small letters, digits and hyphens that begins with a letter, such as 'look-up-rate'`,
    );
  if (name.length > LONGEST)
    throw new DefinitionError('BAD_NAME', `the name of ${what} '${name}' has ${name.length} characters`, `use at most ${LONGEST}`);
  if (name in Object.prototype || name === 'default')
    throw new DefinitionError('BAD_NAME', `${what} is named '${name}', which JavaScript uses itself`, 'choose another name');
}

/** Fields become keys of plain objects; a field named like a method that every object has could not be told from it. */
export function checkFieldNames(what: string, fields: readonly string[]): void {
  for (const field of fields)
    if (field in Object.prototype)
      throw new DefinitionError('BAD_NAME', `${what} has a field named '${field}', which every JavaScript object has`, 'rename the field');
}
