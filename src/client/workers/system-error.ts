// Makes the error of a system call from its number, which is all that another thread can pass on. Pure.

import { getSystemErrorMap } from 'node:util'
import { nameOfErrno } from '../../common/failure.ts'

/** Returns an error like Node's. `errno` is libuv's number: negative. */
export function systemError(errno: number, syscall: 'read' | 'write'): Error {
  const [code, text] = getSystemErrorMap().get(errno) ?? [nameOfErrno(errno) ?? `E${-errno}`, 'unknown error']
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { errno, code, syscall })
}
