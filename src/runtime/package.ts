/** This package's own files: two folders up from here, in the sources as from each built file. */

/** `path`: from the package's folder, as in `package.json`. */
export const ofPackage = (path: string): URL => new URL(`../../${path}`, import.meta.url)
