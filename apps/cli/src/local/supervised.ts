/** Loaded into every child of `up`: when the parent is gone, however it ended, the child stops as if it had been asked to. */
if (process.channel) {
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
