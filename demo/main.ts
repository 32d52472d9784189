import { createActivity } from "./activity.ts";
import { setUpConnectionBar } from "./connection-bar.ts";
import { find } from "./dom.ts";
import { setUpFigures } from "./figures.ts";
import { setUpMetrics } from "./metrics.ts";
import { setUpPanels } from "./panels/panels.ts";
import { liveProgram } from "./programs.ts";
import { setUpPublishForm } from "./publish-form.ts";
import { RouterSession } from "./session.ts";
import { setUpSignIn } from "./sign-in.ts";
import { setUpTail } from "./tail.ts";
import { setUpTransportBar } from "./transport-bar.ts";
import { setUpTheme } from "./theme.ts";

const activity = createActivity(find("activity", HTMLOListElement), find("alert", HTMLElement));
addEventListener("error", (event) => activity.error(event.error ?? event.message, "this page"));
addEventListener("unhandledrejection", (event) => activity.error(event.reason, "this page"));

const session = new RouterSession((thrown, doing) => activity.error(thrown, doing));
const restyles: (() => void)[] = [];
setUpTheme(find("theme", HTMLFormElement), () => { for (const restyle of restyles) restyle(); });
restyles.push(setUpMetrics(session, activity).restyle);
setUpFigures(session, activity);
const draft = setUpPublishForm(session, activity);
const tail = setUpTail(session, activity);
setUpTransportBar(session, activity);
setUpSignIn(session, activity);
restyles.push(setUpPanels(session, activity, () => liveProgram(session.reach, tail(), draft())).restyle);
// Last: it connects.
setUpConnectionBar(session, activity);
