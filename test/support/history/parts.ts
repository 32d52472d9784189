import type { Gap } from "../../../src/core/frames.ts";
import type { Attempt, History, Life, Reading, Sighting } from "../history.ts";

export const isGap = (seen: Sighting | Gap): seen is Gap => "reason" in seen;
/** What a subscription got that is in a log. */
export const storedOf = ({ seen }: Reading): Sighting[] => seen.filter((one): one is Sighting => !isGap(one) && one.seq > 0);
/** What it got that is in none. */
export const passingOf = ({ seen }: Reading): Sighting[] => seen.filter((one): one is Sighting => !isGap(one) && one.seq === 0);
export const gapsOf = ({ seen }: Reading): Gap[] => seen.filter(isGap);
/** A record of the router's own, which nobody published. */
export const isRecord = ({ type }: Sighting): boolean => type.startsWith("$");
export const nameOf = ({ publisher, number }: { readonly publisher: string; readonly number: number }): string => `${publisher} #${number}`;
export const placed = (event: Sighting): string => `${nameOf(event)} (${event.id}, seq ${event.seq})`;
export const livesOf = ({ earlier = [], log }: History): readonly Life[] => [...earlier, log];
export const trimmedOf = ({ trimmed, first }: Life): number => trimmed ?? first - 1;
/** Attempts whose events are to be stored. */
export const storingOf = ({ attempts }: History): Attempt[] => attempts.filter(({ ephemeral }) => ephemeral !== true);
