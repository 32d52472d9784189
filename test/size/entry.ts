export { EventRouterClient } from "../../src/index.ts";
