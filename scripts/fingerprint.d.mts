/** Of the program's sources, how and by which Node they are put together, and the libraries' versions: hexadecimal digits. From the root. */
export declare const fingerprint: () => Promise<string>
