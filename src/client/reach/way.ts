// By which way two clients are connected.

/**
 * `direct`: one dialled the other. `lan`: at an address of the network that both are in. `mapped`: dialled, at a port that a
 * router forwards at its client's request. `called-back`: the sharing client dialled, since it was asked to. `punched`: both
 * dialled at once. `relayed`: somebody forwards between them, and sees only ciphertext.
 */
export type Way = 'direct' | 'lan' | 'mapped' | 'called-back' | 'punched' | 'relayed'
