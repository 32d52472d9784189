import { findBrowser } from "../support/browser.ts";

/** What the tests need besides packages: a Chromium. It is installed if it is missing and that is possible here; else the command to type is told. */
export default function prepare(): void {
  findBrowser();
}
