import { expect, test } from "vitest";
import { Stage } from "./stage.ts";

const stage = new Stage();

/** Names what a keyboard must come to on the page as it stands. Of radio buttons the chosen one stands for its group. Runs in the page. */
function mustReach(): string[] {
  const all = document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary, [tabindex='0']");
  return [...all].flatMap((element, i) => {
    element.dataset.stop = String(i);
    const chosen = !(element instanceof HTMLInputElement) || element.type !== "radio" || element.checked;
    return element.tabIndex >= 0 && !(element as HTMLInputElement).disabled && element.checkVisibility() && chosen ? [String(i)] : [];
  });
}

/** Where the focus is, and what a person could not see of it. Runs in the page. */
function stop(): { readonly at: string | undefined; readonly html: string; readonly faults: readonly string[] } {
  const element = document.activeElement as HTMLElement;
  const box = element.getBoundingClientRect();
  const shown = element.closest("label") ?? element;
  const ringed = [element, shown].some((one) => getComputedStyle(one).outlineStyle !== "none");
  const inSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const over = document.elementFromPoint(Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), Math.min(Math.max(box.top + Math.min(box.height, 40) / 2, 0), innerHeight - 1));
  const covered = over !== null && !element.contains(over) && !over.contains(element) && !shown.contains(over);
  return { at: element.dataset.stop, html: element.outerHTML.slice(0, 120), faults: element === document.body ? [] : [ringed ? "" : "no ring", inSight ? "" : "out of sight", covered ? `covered by ${over.outerHTML.slice(0, 60)}` : ""].filter((fault) => fault !== "") };
}

test.each([["wide", 1440, 900], ["a phone's width", 390, 844]] as const)("%s: Tab comes to everything in each panel, each time with a ring, in sight and uncovered; Enter on a panel's link opens it", async (_name, width, height) => {
  await stage.open({ width, height });
  const { page } = stage;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await stage.publishForm();
  await stage.row("order.placed").waitFor();
  await page.locator("#build").click();
  for (const summary of await page.locator("#live summary").all()) await summary.click();
  const panels = await page.locator("#panels a").allTextContents();
  expect(panels.length).toBe(9);
  for (const panel of panels) {
    await page.locator("#panels a", { hasText: new RegExp(`^${panel}$`) }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#panels a[aria-current]", { hasText: new RegExp(`^${panel}$`) }).waitFor();
    await page.locator("main:not([hidden])").waitFor();
    await page.evaluate(() => { (document.activeElement as HTMLElement).blur(); document.getSelection()?.setPosition(document.body, 0); });
    const wanted = new Set(await page.evaluate(mustReach));
    const faults: string[] = [];
    const all = wanted.size;
    for (let presses = 0; wanted.size > 0 && presses < all + 20; presses++) {
      await page.keyboard.press("Tab");
      const { at, html, faults: found } = await page.evaluate(stop);
      for (const fault of found) faults.push(`${fault}: ${html}`);
      if (at !== undefined) wanted.delete(at);
    }
    const missed = await page.evaluate((stops) => stops.map((at) => document.querySelector(`[data-stop="${at}"]`)?.outerHTML.slice(0, 120)), [...wanted]);
    expect({ panel, faults, missed }).toEqual({ panel, faults: [], missed: [] });
  }
});
