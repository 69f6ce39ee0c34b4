export { type Format, Kernels, loadKernelModule, type Rounding } from './kernels.ts';
