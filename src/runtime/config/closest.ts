/** "Did you mean ...?" for names that are not known. */

/** How many letters must be added, taken away, changed or swapped with their neighbour (optimal string alignment). */
const distance = (a: string, b: string): number => {
  const rows: Array<Array<number>> = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
        )
      )
    }
  }
  return at(a.length, b.length)
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "").slice(0, 64)

/** The known name that was probably meant, if one is near: a third of its letters may differ, at most three. */
export const closest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const wanted = plain(name)
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(wanted, plain(candidate)) }))
    .filter(({ candidate, far }) => far <= Math.min(3, Math.floor(plain(candidate).length / 3)))
    .toSorted((a, b) => a.far - b.far)
  return ranked[0]?.candidate
}

/** A hint for a name that is not known: the one that was probably meant, or all there are. */
export const meant = (name: string, known: ReadonlyArray<string>, all: string): string => {
  const near = closest(name, known)
  return near === undefined ? `${all}: ${known.toSorted().join(", ")}.` : `Did you mean ${near}?`
}
