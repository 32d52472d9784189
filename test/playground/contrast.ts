/**
 * Texts on the page that have less contrast than WCAG AA asks for: 4.5, or 3 if large. Runs in the page, so it stands alone.
 */
export function contrastFaults(): string[] {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  /** A colour over another, as sRGB; the browser itself reads it, whatever its notation. */
  const over = (below: readonly number[], color: string): number[] => {
    canvas.fillStyle = `rgb(${below.join(" ")})`;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data).slice(0, 3);
  };
  const luminance = (color: readonly number[]): number => color
    .map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i]!, 0);
  const ground = (element: Element | null): number[] => (element === null ? [255, 255, 255] : over(ground(element.parentElement), getComputedStyle(element).backgroundColor));

  const faults: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement!;
    if (node.textContent!.trim() === "" || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) continue;
    if (element.closest(".hidden, .skip, [role=alert].hidden") !== null) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const [light, dark] = [luminance(over(below, style.color)), luminance(below)].sort((a, b) => b - a) as [number, number];
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (large ? 3 : 4.5)) faults.push(`${contrast.toFixed(2)} ${element.tagName.toLowerCase()}.${element.className} "${node.textContent!.trim().slice(0, 30)}"`);
  }
  return [...new Set(faults)];
}
