import { formatBytes, formatDuration, type Progress } from '../base/index.ts';

const barWidth = 24;
const redrawMilliseconds = 100;

function amount(value: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(value) : String(value);
}

/** One line of progress: bar, share, amount, remaining time once it can be told. */
export function progressLine(progress: Progress, elapsedSeconds: number): string {
  const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  const filled = Math.round(share * barWidth);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const unit = progress.unit === 'bytes' ? '' : ` ${progress.unit}`;
  const remaining =
    share > 0.02 && share < 1 && elapsedSeconds > 1
      ? ` · ${formatDuration((elapsedSeconds / share) * (1 - share))} left`
      : '';
  const message = progress.message ? ` ${progress.message}` : '';
  return `${bar} ${Math.round(share * 100)} % · ${amount(progress.done, progress.unit)} of ${amount(progress.total, progress.unit)}${unit}${remaining}${message}`;
}

/** A progress bar on a terminal; elsewhere it prints nothing, so that logs stay readable. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #drawnAt = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  readonly report = (progress: Progress): void => {
    const now = performance.now();
    const last = progress.done >= progress.total;
    if (!this.#stream.isTTY || (now - this.#drawnAt < redrawMilliseconds && !last)) return;
    this.#drawnAt = now;
    this.#shown = true;
    const line = progressLine(progress, (now - this.#startedAt) / 1000);
    this.#stream.write(`\r\x1b[2K${line.slice(0, this.#stream.columns - 1)}`);
  };

  /** Removes the bar, so that something else can be written. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\x1b[2K');
    this.#shown = false;
  }
}
