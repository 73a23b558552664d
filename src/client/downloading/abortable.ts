// Waiting that an abort ends at once, whatever becomes of what was waited for.

/**
 * Settles as the promise does, or rejects with the signal's reason as soon as that aborts. What comes
 * after that is given to `onLate`, to be closed; a failure that comes after that is nobody's business.
 */
export function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  onLate: (value: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    promise
      .then(
        (value) => (signal.aborted ? onLate(value) : resolve(value)),
        (error: Error) => reject(error),
      )
      .finally(() => signal.removeEventListener('abort', abort))
  })
}
