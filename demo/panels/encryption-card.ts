import type { Activity } from "../activity.ts";
import { make, setText } from "../dom.ts";
import type { RouterSession } from "../session.ts";
import { button, card, check, field } from "./parts.ts";

/** The switch that encrypts what is published. The key stays in the page: it is in no link and in no storage. */
export function encryptionCard(session: RouterSession, activity: Activity): HTMLElement {
  const key = field("Key (32 bytes, base64)", "");
  const encrypt = check("Encrypt what is published");
  const state = make("span", "note");
  state.setAttribute("role", "status");
  setText(state, "Off: payloads travel in the clear.");
  const apply = (): void => {
    try {
      session.encryptionKey = encrypt.input.checked ? key.input.value.trim() : undefined;
      key.input.removeAttribute("aria-invalid");
      setText(state, encrypt.input.checked ? "On: payloads leave this page as JWE. Who has no key sees them so; the router never sees more." : "Off: payloads travel in the clear.");
    } catch (thrown) {
      encrypt.input.checked = false;
      key.input.setAttribute("aria-invalid", "true");
      setText(state, "Off: this is no key. Press “New key”, or paste 32 bytes as base64.");
      activity.error(thrown, "encrypting");
    }
  };
  const renew = (): void => { key.input.value = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))); };
  renew();
  encrypt.input.addEventListener("change", apply);
  key.input.addEventListener("change", () => { if (encrypt.input.checked) apply(); });
  return card("Encryption", "AES-256-GCM from this page to whoever has the key. The key stays in this page: it is in no link and in no storage.", encrypt.label, key.label, make("div", "actions-row", button("New key", () => {
    renew();
    if (encrypt.input.checked) apply();
  }), state));
}
