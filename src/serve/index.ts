export { checkContract } from './check/index.ts';
export { connect } from './connect.ts';
export {
  decodeRequestSchema,
  decodeResponseSchema,
  openApi,
  processRequestSchema,
  processResponseSchema,
  tokenizeRequestSchema,
  tokenizeResponseSchema,
} from './contract.ts';
export { type ServeOptions, serveCheckpoint } from './serve.ts';
export { startServerProcess } from './server-process.ts';
export type { ContractCheck, ContractReport, Endpoint, ProcessRequest, RunningEndpoint } from './types.ts';
