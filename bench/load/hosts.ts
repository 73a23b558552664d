// Addresses of clients on this machine.

const hostsInNetwork = 250
const networks = 250

/** Another one for each client, as far as 16 million go; all of 127.0.0.0/8 is this machine on Linux. */
export function hostOf(index: number): string {
  const network = Math.floor(index / hostsInNetwork)
  return `127.${1 + Math.floor(network / networks)}.${network % networks}.${1 + (index % hostsInNetwork)}`
}
