/** ms that the others have for an answer; who has not answered then is left out. */
const PATIENCE = 400;

interface Question {
  readonly until: number;
  readonly answers: Map<string, string>;
  resolve(answers: readonly string[]): void;
}

/** What is asked of all routers of a log, and what they say. It ends when all have answered that did the last time, or when the time is over. */
export class Gathering {
  readonly #say: (to: string | undefined, word: readonly unknown[], body?: string) => void;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #questions = new Map<number, Question>();
  #expected: ReadonlySet<string> = new Set();
  #last = 0;

  constructor(options: { say(to: string | undefined, word: readonly unknown[], body?: string): void; now(): number; wakeBy(time: number): void }) {
    this.#say = options.say;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
  }

  ask(what: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const until = this.#now() + PATIENCE;
      this.#questions.set(++this.#last, { until, answers: new Map(), resolve });
      this.#wakeBy(until);
      this.#say(undefined, ["ask", this.#last, what]);
    });
  }

  answered(from: string, question: number, answer: string): void {
    const open = this.#questions.get(question);
    // Too late for this time; the next is waited for.
    if (open === undefined) this.#expected = new Set([...this.#expected, from]);
    else {
      open.answers.set(from, answer);
      if (this.#expected.size > 0 && [...this.#expected].every((one) => open.answers.has(one))) this.#end(question, open);
    }
  }

  tick(now: number): number | null {
    let next: number | null = null;
    for (const [id, question] of this.#questions) {
      if (now >= question.until) this.#end(id, question);
      else next = Math.min(next ?? Infinity, question.until);
    }
    return next;
  }

  #end(id: number, { answers, resolve }: Question): void {
    this.#questions.delete(id);
    this.#expected = new Set(answers.keys());
    resolve([...answers.values()]);
  }
}
