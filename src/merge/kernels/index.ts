export { type Format, Kernels, loadKernelModule, type Rounding } from './kernels.ts';
export { roundScalar } from './rounding.ts';
