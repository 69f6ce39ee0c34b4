// A reporter for node:test that writes one line of JSON at the end: how many tests passed, failed, were skipped.
export default async function* counts(source) {
  for await (const event of source) {
    // A summary is sent for every file and, last and without a file, for the whole run.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { passed, failed, cancelled, skipped, todo } = event.data.counts;
    yield `${JSON.stringify({ passed, failed: failed + cancelled, skipped: skipped + todo })}\n`;
  }
}
