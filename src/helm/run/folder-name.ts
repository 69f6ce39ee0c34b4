/**
 * The folder of a run: its name as HELM writes it, which is no folder name on Windows (`:`). There the characters
 * that Windows forbids become underscores; readers take a run's name from run_spec.json.
 */
export function runFolderName(runName: string, platform: NodeJS.Platform = process.platform): string {
  const flat = runName.replaceAll('/', '_');
  return platform === 'win32' ? flat.replace(/[<>:"\\|?*]|[. ]$/g, '_') : flat;
}
