/** Element types of safetensors that we read; the names are the format's own. */
export type Dtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U8'
  | 'U16'
  | 'U32'
  | 'U64'
  | 'BOOL'
  | 'F8_E4M3'
  | 'F8_E5M2';

/** A tensor on disk. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Absolute path of the safetensors file that holds it. */
  readonly file: string;
  /** Absolute byte range in the file, header included: [begin, end). */
  readonly begin: number;
  readonly end: number;
}

/** A folder in Hugging Face layout, its headers read and validated, no weights loaded. */
export interface Checkpoint {
  /** Absolute path. */
  readonly folder: string;
  /** config.json as it is on disk. */
  readonly config: Readonly<Record<string, unknown>>;
  /** In the order of the files and their headers. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Weight files, absolute. */
  readonly files: readonly string[];
}

/** A tensor to be written. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** What `inspect` says of a checkpoint. */
export interface Inspection {
  readonly architecture: string;
  readonly parameters: number;
  readonly dtypes: Readonly<Partial<Record<Dtype, number>>>;
  /** Bytes of all weights. */
  readonly bytes: number;
  readonly tensors: number;
  readonly tokenizer: string | null;
  readonly contextTokens: number | null;
  readonly adapter?: { readonly type: string; readonly rank?: number; readonly base?: string };
}
