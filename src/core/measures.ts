import { Histogram } from "./histogram.ts";

/** What a namespace measures of itself, by the router's clock. */
export class Measures {
  /** From a publish that has come to its answer, with its wait for the store. */
  readonly publish = new Histogram();
  /** One transaction of the store. */
  readonly append = new Histogram();
  /** From a job given to a member of a group to its ack or nack: what its handler took, and the way there and back. */
  readonly handler = new Histogram();
  /** From a request to the responder's answer. */
  readonly request = new Histogram();
}
