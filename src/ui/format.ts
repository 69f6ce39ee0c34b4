import { formatDuration, type Progress } from '../base/index.ts';

/** How long ago: `just now`, `2 m ago`, `3 h ago`, `5 d ago`. */
export function agoText(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} m ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** A share (0 to 1) in percent, without the sign: `61.2`. */
export function percentText(value: number, decimals = 1): string {
  return (100 * value).toFixed(decimals);
}

/** A difference of shares in points with its sign: `+3.4`, `−0.2`, `0.0`. */
export function signedText(delta: number, decimals = 1): string {
  const text = percentText(Math.abs(delta), decimals);
  if (Number(text) === 0) return text;
  return `${delta > 0 ? '+' : '−'}${text}`;
}

/** `37 %`, with the time left once it can be told: `37 % · 1 h 12 m left`. */
export function progressText(progress: Progress | undefined, elapsedMilliseconds: number): string {
  if (progress === undefined || progress.total <= 0) return '';
  const share = Math.min(1, progress.done / progress.total);
  const percent = `${Math.round(100 * share)} %`;
  if (share < 0.05 || share >= 1 || elapsedMilliseconds < 2000) return percent;
  return `${percent} · ${formatDuration((elapsedMilliseconds / 1000 / share) * (1 - share))} left`;
}
