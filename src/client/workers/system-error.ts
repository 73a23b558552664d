// Makes the error of a system call from its number, which is all that another thread can say of it. Pure.

import { getSystemErrorMap } from 'node:util'

/** As Node makes it. `errno` is libuv's number: negative. */
export function systemError(errno: number, syscall: 'read' | 'write'): Error {
  const [code, text] = getSystemErrorMap().get(errno) ?? [`E${-errno}`, 'unknown error']
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { errno, code, syscall })
}
