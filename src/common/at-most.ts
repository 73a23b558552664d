// Waits no longer than a person does.

/** Undefined when it takes longer than `patienceMs`; it then goes on without anybody. Rejects as `promise` does. */
export async function atMost<T>(promise: Promise<T>, patienceMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
    // Nobody hears of a failure after that.
    promise.catch(() => undefined)
  }
}
