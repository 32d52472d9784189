// What the benches share. A bench is a script that calls `bench()` once:
//   contenders  by name: whatever `measure` needs, and `server(setup)`, if there is one: `[script, ...args]`; FOLDER in an argument is a fresh directory;
//               `needs`: a program that must be on the machine, else the contender is left out, and that is said
//   setups      by name: each is measured with every contender
//   measure     (contender, { ...setup, port, pid, folder }) → { [metric]: number }; runs in a process of its own
//   metrics     by name: { unit, digits? }; the table shows ratios of the first that a case has
//   against     contenders that the others are compared with
//   goals       { setup, contender, metric, against?, least | most }; `setup` is a regular expression; without `against` the figure itself is meant
// `bench` returns the figures by setup, contender and round. Each round runs every contender once, in rotating order, each in fresh processes, so that neighbours and warm caches hit all alike. Compare ratios of one
// run, not figures of two. Options: --rounds N (5), --only NAME;NAME, --setup PART OF A NAME, --json FILE. The environment: PROFILE=DIR, as in processes.mjs.
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endWithParent, isInstalled, measureInChild, pinned, startServer, watchNoise } from "./processes.mjs";
import { ratioByRound, summary } from "./statistics.mjs";
import { table, withUnit } from "./table.mjs";

export async function bench(url, { contenders, setups, measure, metrics, against, goals = [] }) {
  const script = fileURLToPath(url);
  if (process.argv[2] === "--child") {
    endWithParent();
    const { contender, setup, ...where } = JSON.parse(process.argv[3]);
    console.log(JSON.stringify(await measure(contenders[contender], { ...setups[setup], ...where })));
    process.exit(0);
  }
  const { values: options } = parseArgs({ options: { rounds: { type: "string", default: process.env.ROUNDS ?? "5" }, only: { type: "string" }, setup: { type: "string" }, json: { type: "string" } } });
  const rounds = Number(options.rounds);
  const wanted = Object.keys(contenders).filter((name) => options.only === undefined || options.only.split(";").includes(name));
  const names = wanted.filter((name) => contenders[name].needs === undefined || isInstalled(contenders[name].needs));
  for (const name of wanted) if (!names.includes(name)) console.log(`left out: ${name}, for there is no ${contenders[name].needs} here`);
  /** Figures by round, of each contender in each setup. */
  const results = {};
  const noise = watchNoise();
  const chosen = Object.keys(setups).filter((name) => name.includes(options.setup ?? ""));
  for (let round = 0; round < rounds; round++) {
    for (const setup of chosen) {
      for (let i = 0; i < names.length; i++) {
        const contender = names[(i + round) % names.length];
        progress(`round ${round + 1} of ${rounds}, ${setup}: ${contender}`);
        ((results[setup] ??= {})[contender] ??= []).push(await once(contender, setup));
      }
    }
  }
  progress("");
  report();
  return results;

  async function once(contender, setup) {
    const folder = mkdtempSync(join(tmpdir(), "event-router-bench-"));
    let server;
    try {
      const command = contenders[contender].server?.(setups[setup])?.map((part) => part.replace("FOLDER", folder));
      if (command !== undefined) server = await startServer(fileURLToPath(new URL(`../servers/${command[0]}`, import.meta.url)), command.slice(1));
      return await measureInChild(script, { contender, setup, folder, port: server?.port, pid: server?.pid });
    } catch (error) {
      throw new Error(`${contender}, ${setup}: ${error.message}`, { cause: error });
    } finally {
      await server?.stop();
      rmSync(folder, { recursive: true });
    }
  }

  function report() {
    const others = noise();
    const environment = { rounds, node: process.version, pinned, otherProcessors: others };
    const name = basename(script, ".bench.mjs");
    const rows = Object.entries(results).flatMap(([setup, byContender]) => Object.entries(byContender).map(([contender, samples]) => rowOf(setup, contender, samples, byContender)));
    if (Object.keys(metrics).length === 1) console.log(`\n${name}\n${overview(rows)}`);
    else for (const setup of chosen) console.log(`\n${name}: ${setup}\n${tableOf(rows.filter((row) => row.case === setup))}`);
    console.log(`\n${rounds} rounds, Node ${process.version}, ${pinned ? "server and load on a processor each" : "NOT PINNED: server and load share the processors"}; other programs kept ${others ?? "?"} processors busy${others > 0.1 ? ": NOISY, trust the ratios at most" : ""}`);
    for (const goal of goals) judge(goal, rows);
    const lines = rows.map((row) => JSON.stringify({ bench: name, ...row, ...environment }));
    for (const line of lines) console.log(line);
    if (options.json !== undefined) appendFileSync(options.json, `${lines.join("\n")}\n`);
  }

  /** Medians of what this case has figures for; of the first also the extremes, and ratios. */
  function tableOf(rows) {
    const shown = Object.entries(metrics).filter(([metric]) => rows.some(({ figures }) => figures[metric] !== undefined));
    const [main, { digits }] = shown[0];
    const references = against.filter((one) => rows.some(({ contender }) => contender === one));
    return table([
      ["", ...shown.map(([, { unit }]) => unit), "min", "max", ...references.map((one) => `× ${one}`)],
      ...rows.map(({ contender, figures, ratios }) => [
        contender,
        ...shown.map(([metric, { digits }]) => withUnit(figures[metric]?.median, digits)),
        withUnit(figures[main]?.min, digits), withUnit(figures[main]?.max, digits),
        ...references.map((one) => withUnit(ratios[one]?.[main], 2)),
      ]),
    ]);
  }

  /** Where there is but one metric: a line for each setup. */
  function overview(rows) {
    const [[metric, { unit, digits }]] = Object.entries(metrics);
    const [own] = names.filter((name) => !against.includes(name));
    return table([
      [unit, ...names, ...against.map((one) => `× ${one}`)],
      ...chosen.map((setup) => {
        const figureOf = (contender) => rows.find((row) => row.case === setup && row.contender === contender);
        return [setup, ...names.map((name) => withUnit(figureOf(name)?.figures[metric]?.median, digits)), ...against.map((one) => withUnit(figureOf(own)?.ratios[one]?.[metric], 2))];
      }),
    ]);
  }

  function rowOf(setup, contender, samples, byContender) {
    const figures = {};
    const ratios = {};
    for (const metric of Object.keys(metrics)) {
      const values = samples.map((figuresOfRound) => figuresOfRound[metric]);
      if (values.some((value) => typeof value !== "number" || !Number.isFinite(value))) continue;
      figures[metric] = summary(values);
      for (const other of against) {
        if (other !== contender && byContender[other] !== undefined) (ratios[other] ??= {})[metric] = ratioByRound(values, byContender[other].map((one) => one[metric]));
      }
    }
    return { case: setup, contender, figures, ratios };
  }
}

/** Says of each figure that has a goal whether it is where it should be. */
function judge({ setup, contender, metric, against, least, most }, rows) {
  for (const row of rows) {
    if (row.contender !== contender || !setup.test(row.case)) continue;
    const figure = against === undefined ? row.figures[metric]?.median : row.ratios[against]?.[metric];
    if (figure === undefined || !Number.isFinite(figure)) continue;
    const met = least === undefined ? figure <= most : figure >= least;
    (row.goals ??= []).push({ metric, against, figure, least, most, met });
    console.log(`${met ? "met   " : "MISSED"} ${row.case}: ${metric} of ${contender} is ${figure}${against === undefined ? "" : ` × ${against}`}, goal ${least === undefined ? `≤ ${most}` : `≥ ${least}`}`);
  }
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
