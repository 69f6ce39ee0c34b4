import type { Dtype } from './types.ts';

/** What each element type of safetensors is: its width and whether it holds floating-point numbers. */
export const dtypes: Readonly<Record<Dtype, { readonly bytes: number; readonly float: boolean }>> = {
  F64: { bytes: 8, float: true },
  F32: { bytes: 4, float: true },
  F16: { bytes: 2, float: true },
  BF16: { bytes: 2, float: true },
  F8_E4M3: { bytes: 1, float: true },
  F8_E5M2: { bytes: 1, float: true },
  I64: { bytes: 8, float: false },
  I32: { bytes: 4, float: false },
  I16: { bytes: 2, float: false },
  I8: { bytes: 1, float: false },
  U64: { bytes: 8, float: false },
  U32: { bytes: 4, float: false },
  U16: { bytes: 2, float: false },
  U8: { bytes: 1, float: false },
  BOOL: { bytes: 1, float: false },
};

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(dtypes, name);
}

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The bytes of a tensor's data. */
export function tensorBytes(tensor: { readonly dtype: Dtype; readonly shape: readonly number[] }): number {
  return elementCount(tensor.shape) * dtypes[tensor.dtype].bytes;
}
