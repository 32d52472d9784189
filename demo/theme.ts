import { chosen } from "./dom.ts";

const KEY = "event-router.theme";

/**
 * Light, dark or as the system: remembered. The colours themselves are CSS (`light-dark()`); this only names the scheme.
 * @param changed called whenever colours have changed, also by the system.
 */
export function setUpTheme(form: HTMLFormElement, changed: () => void): void {
  const apply = (theme: string): void => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    changed();
  };
  const remembered = recall();
  for (const option of form.querySelectorAll("input")) option.checked = option.value === remembered;
  apply(remembered);
  form.addEventListener("change", () => {
    const theme = chosen(form, "theme");
    remember(theme);
    apply(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

// Storage may be forbidden (a sandboxed frame, strict privacy settings): then the choice lasts as long as the page.
function recall(): string {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "system";
  } catch {
    return "system";
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // See above.
  }
}
