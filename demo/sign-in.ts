import type { Activity } from "./activity.ts";
import { find, setText } from "./dom.ts";
import type { RouterSession } from "./session.ts";

/** Who the page is to a router that asks: an API key or a token. It stays in this page. Opens by itself when a router refuses. */
export function setUpSignIn(session: RouterSession, activity: Activity): void {
  const form = find("who", HTMLFormElement);
  const credential = find("credential", HTMLInputElement);
  const button = find("sign-in", HTMLButtonElement);
  const forget = find("sign-out", HTMLButtonElement);

  const open = (opened: boolean): void => {
    form.hidden = !opened;
    button.setAttribute("aria-expanded", String(opened));
  };
  const show = (): void => {
    const { credential: kind } = session.reach;
    setText(button, kind === "none" ? "Sign in" : kind === "token" ? "By token" : "By key");
    forget.hidden = kind === "none";
    const refused = session.state === "closed";
    credential.setAttribute("aria-invalid", String(refused));
    if (refused) open(true);
  };

  button.addEventListener("click", () => {
    open(form.hidden !== false);
    if (!form.hidden) credential.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    session.credential = credential.value.trim();
    // What is typed is no longer needed on the screen, nor in the page's form.
    credential.value = "";
    open(false);
    button.focus();
    activity.info(session.credential === "" ? "Nobody is signed in" : "Signed in: the router is reached anew");
  });
  forget.addEventListener("click", () => {
    session.credential = "";
    open(false);
    button.focus();
    activity.info("Signed out");
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(false);
    button.focus();
  });
  session.onStateChange(show);
  show();
}
