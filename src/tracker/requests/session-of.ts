// Gives a login the session with which its client logs in again.

import { sessionLifetimeMs } from '../../common/limits.ts'
import { signSession } from '../../common/security/session.ts'
import type { Login } from '../presence/login.ts'
import type { Services } from './services.ts'

export function sessionOf({ identity, nowMs }: Services, { user, account, epoch, key }: Login): string {
  return signSession(identity, { user, account, epoch, key, expiresMs: nowMs() + sessionLifetimeMs })
}
