import type { SettingsRow, Store } from '@autoflow/store';
import { freezeAt } from '@autoflow/topology/autonomy';

/** Settings as the API answers them: with the freeze that holds now. */
export function presentSettings(row: SettingsRow, now = new Date()) {
  const frozen = freezeAt(row, now);
  return { ...row, ...(frozen !== undefined && { frozen }) };
}

/** What a change by hand is made in spite of. People may always do it; AutoFlow may not. */
export async function noticesFor({ settings }: Pick<Store, 'settings'>, pipeline: string, version: string): Promise<string[]> {
  const row = await settings.get(pipeline);
  if (row === undefined) return [];
  const frozen = freezeAt(row, new Date());
  return [
    ...(frozen === undefined
      ? []
      : [
          `${pipeline} is frozen (${frozen.window} ${frozen.timeZone}) until ${frozen.until.toISOString()}; this was done all the same, by hand.`,
        ]),
    ...(row.pinned === undefined || row.pinned === version
      ? []
      : [`${row.pinned} is pinned and stays so; ${version} was made stable by hand.`]),
  ];
}
