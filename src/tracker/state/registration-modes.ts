// Who may register: everybody, who has an invitation, or nobody.

export const registrationModes = ['open', 'invited', 'closed'] as const
export type RegistrationMode = (typeof registrationModes)[number]

export interface Registration {
  mode: RegistrationMode
  /** Hashes of codes, the oldest first: until when each is good, by the time in the log. */
  readonly invites: Map<string, number>
}

export function isRegistrationMode(value: unknown): value is RegistrationMode {
  return registrationModes.some((mode) => mode === value)
}
