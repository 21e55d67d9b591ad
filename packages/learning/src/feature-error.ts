/** A plan that cannot be put into numbers for the scorer; `message` says which one was found and what to do. */
export class FeatureError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FeatureError';
  }
}
