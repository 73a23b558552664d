// Where a client keeps its data if nobody says where.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { defaultDataFolder } from '../../common/data-folder.ts'

/** By the address that the client listens on, so that several of one person need no option. */
export function clientFolder(listen: Address): string {
  return defaultDataFolder(`client-${formatAddress(listen).replace(/[^0-9A-Za-z.]/g, '_')}`)
}
