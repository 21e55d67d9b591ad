/** The agent at work: what a live pipeline's controller asks it, beside the rule that stands by. */
export { answerTo, contestants, type Contestants } from './answer.js';
