// The colours of the style sheet, for what is drawn on a canvas.

import { useEffect, useState } from 'preact/hooks'

/** Reads a colour by its name in the style sheet; draws again when the system goes from light to dark. */
export function useColours(): (name: string) => string {
  const [, setDark] = useState(false)
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)')
    const onChange = (): void => setDark(media.matches)
    onChange()
    media.addEventListener('change', onChange)
    return () => media.removeEventListener('change', onChange)
  }, [])
  const style = getComputedStyle(document.documentElement)
  return (name) => style.getPropertyValue(name).trim()
}
