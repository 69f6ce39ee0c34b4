export { pack } from './pack.ts';
export { type Selection, select } from './select.ts';
export type { LeftOut, Package, PackageForm, PackEntry, PackOptions, Verification } from './types.ts';
export { type VerifyOptions, verifyPackage } from './verify.ts';
