// Failures: errors outside the program's control, with a code and their cause.

export type FailureCode = 'connection-lost' | 'timeout' | 'protocol' | 'file' | 'data' | 'usage' | 'start'

export class Failure extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.name = 'Failure'
    this.code = code
  }
}

/** Sentences for system error codes whose own text says less or is unclear. */
const systemWords: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'another program uses this port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EBUSY: 'it is in use',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the other end broke the connection',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something of that name exists already',
  EFBIG: 'the file is larger than its file system allows',
  EHOSTUNREACH: 'that machine cannot be reached',
  EIO: 'the disk reports an error',
  EISDIR: 'it is a folder',
  ELOOP: 'a symbolic link leads back to itself',
  EMFILE: 'this program has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENETUNREACH: 'that network cannot be reached',
  ENFILE: 'this machine has too many files open',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'there is a file where a folder is needed',
  EPERM: 'permission denied',
  EPIPE: 'the other end closed the connection',
  EROFS: 'the file system is read-only',
  ESTALE: 'the network disk no longer has it',
  ETIMEDOUT: 'no answer came',
}

/** A sentence for anything thrown; for a system error, what its code means. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return systemWords[systemCode(error) ?? ''] ?? error.message
}

/** The system's code for an error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  const isNameless = error.code.startsWith('Unknown system error') && 'errno' in error
  return (isNameless ? nameOfErrno(Number(error.errno)) : undefined) ?? error.code
}

/** Errors for which libuv has no name: their numbers on Linux, and on macOS and BSD. */
const namesByErrno: Readonly<Record<number, string>> = {
  [-122]: 'EDQUOT',
  [-116]: 'ESTALE',
  [-69]: 'EDQUOT',
  [-70]: 'ESTALE',
}

/** The name of an error for which libuv has none. `errno`: negative, as libuv numbers them. */
export function nameOfErrno(errno: number): string | undefined {
  return namesByErrno[errno]
}

/** Which call of the system is behind a failure, as `connect ECONNREFUSED`; undefined when none is. */
export function systemCallOf(failure: unknown): string | undefined {
  const cause = failure instanceof Failure ? failure.cause : undefined
  const code = systemCode(cause)
  if (code === undefined || !(cause instanceof Error) || !('syscall' in cause)) return undefined
  return `${String(cause.syscall)} ${code}`
}
