/**
 * `entries`: of `src`, each with its path there. `directory` gets them with the same paths, and in `chunks` what they share. `root`: of the sources, for
 * programs that have this one inside them and stand elsewhere.
 */
export declare const bundle: (options: {
  readonly directory: string
  readonly entries: ReadonlyArray<string>
  readonly root?: string
}) => Promise<void>
