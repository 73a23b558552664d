// Waits for a promise until a signal aborts.

/**
 * Settles as the promise does, or rejects with the signal's reason as soon as it aborts. A value that arrives
 * after the abort goes to `onLate` to be closed; a failure after the abort is ignored.
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
