/**
 * Text as a terminal shows it: columns, not characters. A Chinese character or an emoji takes two columns, a combining mark none
 * (Unicode Standard Annex 11, by `string-width`).
 */
import stringWidth from "string-width"

/** Without control characters: a customer's name must neither break a line nor move the cursor. */
export const tame = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "?")

export const oneLine = (text: string): string => tame(text.replace(/\s+/g, " ")).trim()

const graphemes = new Intl.Segmenter()

/** No script piles more marks on one letter; hundreds of them would be drawn over the lines above and below. */
const mostMarks = 8

/** The letters of a line, each with its marks. */
const lettersOf = (line: string): ReadonlyArray<string> =>
  [...graphemes.segment(line)].map(({ segment }) => [...segment].slice(0, 1 + mostMarks).join(""))

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text)

/** As much of a line as fits into `most` columns. */
export const fitted = (line: string, most: number): string => {
  if (isPlain(line)) return line.slice(0, most)
  let width = 0
  let fits = ""
  for (const letter of lettersOf(line)) {
    width += stringWidth(letter)
    if (width > most) break
    fits += letter
  }
  return fits
}

/** The same, which says that there is more. */
export const cut = (line: string, most: number): string => {
  const whole = fitted(line, most)
  // Marks that were taken off are not missed.
  const missing = isPlain(line) ? line.length > most : lettersOf(line).join("") !== whole
  return missing ? `${fitted(line, most - 3)}...` : whole
}

export const widthOf = (line: string): number => stringWidth(line)

export const padded = (line: string, width: number, align: "left" | "right" = "left"): string => {
  const blanks = " ".repeat(Math.max(0, width - widthOf(line)))
  return align === "right" ? `${blanks}${line}` : `${line}${blanks}`
}
