import { decode } from 'fast-png';

/**
 * How much a picture shows: the standard deviation of its brightness (0 to 255) and its number of colours. A blank
 * page has 0 and 1.
 */
export function contrast(png: Uint8Array): { deviation: number; colours: number } {
  const { data, channels, width, height } = decode(png);
  const colours = new Set<number>();
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < data.length; at += channels) {
    const [red = 0, green = 0, blue = 0] = data.slice(at, at + 3);
    colours.add((red << 16) | (green << 8) | blue);
    const brightness = 0.299 * red + 0.587 * green + 0.114 * blue;
    sum += brightness;
    squares += brightness * brightness;
  }
  const pixels = width * height;
  const mean = sum / pixels;
  return { deviation: Math.sqrt(Math.max(0, squares / pixels - mean * mean)), colours: colours.size };
}
