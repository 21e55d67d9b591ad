/**
 * Takes the channel to the parent out of the reach of what is loaded afterwards, and answers how to write to it:
 * `process.send` of a user's module must not be taken for our word. `written` is called when the message is on its way for certain.
 */
export function takeChannel<Message extends object>(): (message: Message, written?: () => void) => void {
  const send = process.send!.bind(process);
  delete process.send;
  // A parent that is gone cannot be told; `disconnect` ends us.
  return (message, written = () => {}) => void send(message, undefined, undefined, () => written());
}
