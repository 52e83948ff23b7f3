/** OpenNebula 7.4's calls that only look: `one.vm.info`, `one.vmpool.infoset`, `one.vmpool.accounting`, `one.system.version`, ... */
const looks = /^one\.(\w+\.(info\w*|accounting|showback|monitoring)|system\.(version|config))$/

/** Does the call leave everything as it is? What is not known to do so may change something. */
export const isLook = (method: string): boolean => looks.test(method)
