/** Pure: what AutoFlow may do by itself. Nothing here needs more than `Intl`, so workflows may ask too. */
export { freezeProblems, frozenUntil } from './freeze.js';
export { freezeAt, mayAct, type OwnAct, type Verdict } from './may-act.js';
export {
  APPROVAL_DAYS,
  AUTONOMY,
  CONTROL_MODES,
  DEFAULT_CONTROL,
  DEFAULT_SETTINGS,
  SPEND_CAP_DAYS,
  type Autonomy,
  type ControlSettings,
  type FreezeWindow,
  type Objective,
  type OperationSettings,
  type OwnTraining,
} from './settings.js';
