// Remembers the last result of a function, for views that ask for the same again with each picture.

export function remembersLast<Given extends readonly unknown[], Result>(
  of: (...given: Given) => Result,
): (...given: Given) => Result {
  let last: { readonly given: Given; readonly result: Result } | undefined
  return (...given) => {
    if (last === undefined || given.some((each, at) => each !== last?.given[at]))
      last = { given, result: of(...given) }
    return last.result
  }
}
