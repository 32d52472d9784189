import { PermissionError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { checkFunction, invalidOption } from "./check-options.ts";
import type { Handler, Middleware } from "./handle-events.ts";
import type { HandlerContext } from "./handler-context.ts";

/** Whether a handler may have an event: something true, or a promise of it. */
export type Check = (event: RouterEvent, context: HandlerContext) => unknown;

/** A handler that runs only while this client has a permission. @throws ValidationError if it is no text. */
export function requirePermission(permission: string): Middleware {
  if (typeof permission !== "string" || permission === "") throw invalidOption("permission", 'of requirePermission must be a text such as "admin"');
  return guarded(({ type }, { user }) => {
    if (!user.hasPermission(permission)) throw new PermissionError("ERR_PERMISSION", `"${type}" was not handled: this client lacks the permission ${permission}`, { details: { permission } });
  });
}

/** A handler that runs only where `check` says so. @throws ValidationError if it is no function. */
export function authorize(check: Check): Middleware {
  checkFunction(check, "authorize's check");
  return guarded(async (event, context) => {
    if (!(await check(event, context))) throw new PermissionError("ERR_UNAUTHORIZED", `"${event.type}" was not handled: authorize() said no`);
  });
}

function guarded(guard: (event: RouterEvent, context: HandlerContext) => void | Promise<void>): Middleware {
  return ((handler: Handler<never>) => {
    checkFunction(handler, "handler");
    return async (event: never, context: HandlerContext) => {
      await guard(event, context);
      return handler(event, context);
    };
  }) as unknown as Middleware;
}
