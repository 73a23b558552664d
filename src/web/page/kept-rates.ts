// The rates of the last ten minutes, kept by the tab over a reload: the client does not remember them.

import { samplesMax, type RateSample } from './state.ts'

const place = 'rates'

/** A line for each, in its order. */
export function keepRates(storage: Pick<Storage, 'setItem'>, samples: readonly RateSample[]): void {
  const lines = samples.map(({ atSeconds, bytesInPerSecond, bytesOutPerSecond }) =>
    [atSeconds, bytesInPerSecond, bytesOutPerSecond].map(Math.round).join(' '),
  )
  storage.setItem(place, lines.join('\n'))
}

/** Those that are not too old. `nowSeconds`: since 1970. */
export function keptRates(storage: Pick<Storage, 'getItem'>, nowSeconds: number): readonly RateSample[] {
  const lines = (storage.getItem(place) ?? '').split('\n')
  return lines.flatMap((line) => {
    const [atSeconds = NaN, bytesInPerSecond = NaN, bytesOutPerSecond = NaN] = line.split(' ').map(Number)
    // Also false of what is no number.
    const isLate = atSeconds > nowSeconds - samplesMax && atSeconds <= nowSeconds
    return isLate && bytesInPerSecond >= 0 && bytesOutPerSecond >= 0
      ? [{ atSeconds, bytesInPerSecond, bytesOutPerSecond }]
      : []
  })
}
