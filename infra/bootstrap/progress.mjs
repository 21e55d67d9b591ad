const EVERY_MS = 10_000;

/**
 * Runs a step that takes long and says so: when it begins, every ten seconds, and when it is done. Steps may run
 * beside each other, so every line names its step.
 */
export async function step(title, work) {
  const began = Date.now();
  const elapsed = () => `${Math.round((Date.now() - began) / 1000)} s`;
  say(`${title} …`);
  const timer = setInterval(() => say(`${title} … ${elapsed()}`), EVERY_MS);
  try {
    const result = await work();
    say(`${title}: done in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}
