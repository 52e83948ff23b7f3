/** "1 order", "2 orders": of `many` where the plural is another one. */
export const countOf = (amount: number, one: string, many: string = `${one}s`): string =>
  `${amount} ${amount === 1 ? one : many}`
