import { pathToFileURL } from 'node:url';

/** Whether a module is the program itself and not imported by another. */
export const isMain = (url) => url === pathToFileURL(process.argv[1] ?? '').href;
