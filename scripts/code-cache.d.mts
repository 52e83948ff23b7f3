/** What V8 compiles of the program that a bundle is, beside it. `directory`: the bundle's, with the program's package.json one folder up. */
export declare const cacheCode: (directory: string) => Promise<void>
