"use strict";
// Whatever comes from jobs and workers is put in as text, never as markup.

const EVERY_MS = 2000, TYPING_MS = 120, PORTION = 100, MOST = 1000, TOKEN = "operator's token";
const CAN = { retry: ["failed", "poison", "cancelled", "wait"], cancel: ["ready", "wait", "leased", "sharded", "failed", "poison"] };
const NAMES = { leased: "running", poison: "put aside", wait: "waits", skipped: "done before" };
const $ = (id) => document.getElementById(id);
const shown = { group: "", text: "", limit: PORTION, seen: "" };
const rows = new Map();
let asking = 0, timer = 0;

function h(name, options = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key in element) element[key] = value; else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function clock(seconds) {
  if (seconds === null || !isFinite(seconds)) return "–";
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  return s < 86400 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${(s / 86400).toFixed(1)} days`;
}

function moment(seconds) {
  const when = new Date(seconds * 1000), today = when.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  return when.toLocaleString([], today ? time : { weekday: "short", day: "numeric", month: "short", ...time });
}

const number = (n) => n.toLocaleString("en");
const short = (n) => (n >= 100 ? number(Math.round(n)) : n.toFixed(n >= 10 ? 1 : 2));

async function ask(path, body) {
  const headers = {}, token = $("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token.replace(/[^\x21-\x7e]/g, "?")}`;
  if (body) headers["Content-Type"] = "application/json";
  const options = { headers, cache: "no-store", credentials: "omit" };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer: has it ended?");
  }
  const plain = await answer.json();
  if (!answer.ok) throw new Error(plain.error);
  return plain;
}

function medium(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [h("div", { className: "name" }, path.slice(cut) || path), h("div", { className: "folder" }, path.slice(0, cut))];
}

function showStatus(s) {
  put($("title"), s.title);
  $("people").hidden = !s.pages.includes("/people");
  document.title = `${Math.floor((100 * s.ended) / Math.max(1, s.total))} % ${s.title}`;
  put($("sum"), `${number(s.total)} jobs: ` + Object.entries(s.groups).filter(([, n]) => n).map(([name, n]) => `${number(n)} ${name}`).join(", "));
  $("bar").max = Math.max(1, s.total);
  $("bar").value = s.ended;
  put($("percent"), `${((100 * s.ended) / Math.max(1, s.total)).toFixed(1)} %`);
  const over = s.total === s.groups.done + s.groups.failed + s.groups.cancelled;
  put($("left"), over ? "0:00:00" : clock(s.left_s));
  put($("finish"), over ? "all over" : s.left_s === null ? "–" : moment(s.now + s.left_s));
  put($("elapsed"), clock(s.now - s.began));
  trouble("withheld", s.withheld && `No jobs are handed out: ${s.withheld}`);
  showGroups(s.groups, s.total);
  showWorkers(s.workers);
  const t = s.throughput;
  chart($("speed"), "media, × real time", t.speed, t);
  chart($("rate"), "jobs a minute", t.jobs_per_min, t);
  showSample(s.sample);
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function showSample(s) {
  $("sample").hidden = !s;
  if (!s) return;
  const key = JSON.stringify(s);
  if ($("sample").dataset.drawn === key) return;
  $("sample").dataset.drawn = key;
  const text = $("sample-says");
  if (s.share === null) {
    text.replaceChildren(s.error || (s.draws ? `${number(s.draws)} draws have results, but ${s.lacks_labels ? "no face has a label for sex: the analysis needs --attributes sex" : "no face is seen in them"}.` : "No draw has its results yet: they are read in the order of the draws."));
  } else {
    const wanted = s.reach === null ? "" : s.can_stop ? h("span", { className: "stop" }, `Plus or minus ${short(100 * s.reach)} points: one can stop.`)
      : `Go on: ${short(50 * (s.high - s.low))} points, wanted ${short(100 * s.reach)}.`;
    text.replaceChildren(h("b", {}, `${percent(s.share)} women`), ` of the time of all faces; at all times ${percent(s.low)} to ${percent(s.high)}, after ${number(s.draws)} draws. `, wanted, s.error ? ` ${s.error}` : "");
  }
  band($("sample-chart"), s);
}

function band(figure, s) {
  figure.hidden = s.points.length < 2;
  if (figure.hidden) return;
  const last = s.points.at(-1), first = s.points[0], from = first[0], width = Math.max(1, last[0] - from);
  // The first draws tell nothing: the axis suits what the later half says.
  const later = s.points[Math.floor(s.points.length / 2)], reach = s.reach === null ? 0 : s.reach;
  const low = Math.max(0, Math.min(later[1], s.share - reach) - 0.02), high = Math.min(1, Math.max(later[2], s.share + reach) + 0.02);
  const x = (count) => (1000 * (count - from)) / width, y = (share) => 100 * (1 - (Math.min(high, Math.max(low, share)) - low) / (high - low));
  const side = (column) => s.points.map((point) => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(2)}`);
  const lower = side(1), upper = side(2);
  const wanted = s.reach === null ? [] : [s.share - s.reach, s.share + s.reach].map((share) => svg("line", { class: "wanted", x1: 0, x2: 1000, y1: y(share), y2: y(share) }));
  figure.replaceChildren(
    h("figcaption", {}, `interval at all times, ${percent(low)} to ${percent(high)} from bottom to top`, s.reach === null ? "" : `; dashed: plus or minus ${short(100 * s.reach)} points`),
    svg("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img", "aria-label": `from ${percent(first[1])} to ${percent(first[2])} after ${number(from)} draws, to ${percent(last[1])} to ${percent(last[2])} after ${number(last[0])}` },
      svg("line", { x1: 0, x2: 1000, y1: 0, y2: 0 }), svg("line", { x1: 0, x2: 1000, y1: 100, y2: 100 }),
      svg("path", { class: "band", d: `M${upper.join("L")}L${lower.reverse().join("L")}Z` }),
      svg("path", { class: "ends", d: `M${upper.join("L")}M${lower.join("L")}` }), ...wanted),
    h("div", { className: "axis" }, h("span", {}, `${number(from)} draws`), h("span", {}, `${number(last[0])} draws`)));
}

const troubles = {};
function trouble(kind, text) {
  troubles[kind] = text;
  const all = Object.values(troubles).filter(Boolean).join(" ");
  put($("trouble"), all);
  $("trouble").hidden = !all;
}

function showGroups(groups, total) {
  const box = $("groups");
  if (!box.children.length) {
    for (const name of ["", ...Object.keys(groups)]) {
      const choose = () => { shown.group = name; fresh(); };
      box.append(h("button", { type: "button", onclick: choose, "data-group": name }));
    }
  }
  for (const button of box.children) {
    const name = button.dataset.group;
    put(button, `${name || "all"} ${number(name ? groups[name] : total)}`);
    button.setAttribute("aria-pressed", String(name === shown.group));
  }
}

function showWorkers(workers) {
  const body = $("workers").tBodies[0];
  const lines = workers.flatMap((worker) => (worker.jobs.length ? worker.jobs : [null]).map((job) => [worker, job]));
  body.replaceChildren(...lines.map(([worker, job]) => h("tr", {},
    h("th", { scope: "row", className: "name" }, worker.name),
    h("td", {}, worker.device),
    h("td", {}, ...(job ? medium(job.source) : ["–"])),
    h("td", { className: "stage" }, job ? job.stage || "begins" : "waits"),
    h("td", {}, ...(job && job.fraction !== null ? [h("progress", { max: 1, value: job.fraction, "aria-label": "Share of the medium" }), `${Math.round(100 * job.fraction)} %`] : [])),
    h("td", { className: "n" }, job && job.speed !== null ? job.speed.toFixed(1) : ""),
    h("td", { className: worker.silent_s > 60 ? "n late" : "n" }, `${Math.round(worker.silent_s)} s ago`))));
  $("no-workers").hidden = workers.length > 0;
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function chart(figure, what, values, { end, width_s }) {
  const key = JSON.stringify([values, end]);
  if (figure.dataset.drawn === key) return;
  figure.dataset.drawn = key;
  const top = Math.max(...values, 1e-9), last = values.at(-1), gap = 0.16;
  const span = (i) => moment(end - (values.length - i) * width_s);
  const bars = values.map((value, i) => svg("g", {},
    svg("title", {}, `${span(i)}: ${short(value)}`),
    svg("rect", { class: "hit", x: i, y: 0, width: 1, height: 100 }),
    svg("rect", { class: "bar", x: i + gap / 2, y: 100 - (98 * value) / top, width: 1 - gap, height: (98 * value) / top })));
  const picture = svg("svg", { viewBox: `0 0 ${values.length} 100`, preserveAspectRatio: "none", role: "img", "aria-label": `${what}: ${short(last)} now, ${short(Math.max(...values))} at most` },
    svg("line", { x1: 0, x2: values.length, y1: 2, y2: 2 }), ...bars, svg("line", { x1: 0, x2: values.length, y1: 100, y2: 100 }));
  figure.replaceChildren(
    h("figcaption", {}, `${what}: `, h("b", {}, `${short(last)} now`), `, ${short(Math.max(...values))} at most (line above)`),
    picture, h("div", { className: "axis" }, h("span", {}, span(0)), h("span", {}, `columns of ${width_s < 60 ? `${width_s} s` : `${width_s / 60} min`}`), h("span", {}, moment(end))));
}

function makeRow(job) {
  const actions = ["retry", "cancel"].map((verb) => {
    const act = () => change(verb, [job.id], `job ${job.id}`);
    return h("button", { type: "button", onclick: act, "data-verb": verb, "aria-label": `${verb} job ${job.id}` }, verb === "retry" ? "Retry" : "Cancel");
  });
  const review = h("a", { target: "_blank", rel: "noopener noreferrer", "aria-label": `review of job ${job.id}` }, "Review");
  const cells = { state: h("td"), reason: h("td"), length: h("td", { className: "n" }) };
  const element = h("tr", { "data-job": job.id }, h("td", { className: "n" }, String(job.id)), cells.state,
    h("td", { title: job.csv }, ...medium(job.source)), cells.reason, cells.length, h("td", {}, review, ...actions));
  return { element, cells, actions, review };
}

function showJob(job) {
  if (!rows.has(job.id)) rows.set(job.id, makeRow(job));
  const { element, cells, actions, review } = rows.get(job.id);
  put(cells.state, NAMES[job.state] || job.state);
  cells.state.className = job.state;
  put(cells.reason, job.reason || (job.state === "leased" ? `by ${job.worker}` : ""));
  put(cells.length, job.length_s === null ? "" : clock(job.length_s));
  review.hidden = !job.review;
  if (job.review) review.setAttribute("href", job.review);
  for (const button of actions) button.hidden = !CAN[button.dataset.verb].includes(job.state);
  return element;
}

async function showJobs() {
  const turn = ++asking;
  const query = new URLSearchParams({ group: shown.group, q: shown.text, limit: shown.limit + 1 });
  let found;
  try {
    found = (await ask(`/api/jobs?${query}`)).jobs;
    trouble("jobs", "");
  } catch (error) {
    trouble("jobs", error.message);
    return;
  }
  if (turn !== asking) return;
  const more = found.length > shown.limit;
  const jobs = found.slice(0, shown.limit), known = new Set(jobs.map((job) => job.id));
  for (const id of rows.keys()) if (!known.has(id)) rows.delete(id);
  const body = $("jobs").tBodies[0], elements = jobs.map(showJob);
  // Rows that stay are not touched: what has the focus keeps it.
  if (elements.length !== body.children.length || elements.some((e, i) => e !== body.children[i])) {
    const focus = document.activeElement;
    body.replaceChildren(...elements);
    if (focus && focus.isConnected && focus !== document.activeElement) focus.focus();
  }
  $("none").hidden = jobs.length > 0;
  $("more").hidden = !more || shown.limit >= MOST;
  body.dataset.shown = `${shown.group} ${shown.text}`;
  document.body.dataset.ready = "";
}

function fresh() {
  shown.limit = PORTION;
  for (const button of $("groups").children) button.setAttribute("aria-pressed", String(button.dataset.group === shown.group));
  return showJobs();
}

async function change(verb, jobs, what) {
  put($("said"), "…");
  try {
    const { changed, asked } = await ask(`/api/${verb}`, { jobs });
    const done = verb === "retry" ? "to be tried again" : "cancelled";
    put($("said"), asked === 1 && !changed.length ? `${what}: not in a state for that` : jobs === "failed" ? `${changed.length} jobs are ${done}` : `${what} is ${done}`);
  } catch (error) {
    put($("said"), error.message);
    if (/token/.test(error.message)) $("token").focus();
  }
  await tick();
}

async function tick() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const status = await ask("/api/status");
      trouble("status", "");
      showStatus(status);
      const seen = JSON.stringify([status.groups, status.workers.map((w) => w.jobs.map((j) => j.job))]);
      if (seen !== shown.seen) { shown.seen = seen; await showJobs(); }
    } catch (error) {
      trouble("status", error.message);
    }
  }
  clearTimeout(timer);
  timer = setTimeout(tick, EVERY_MS);
}

let typing = 0;
$("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => { shown.text = $("search").value; fresh(); }, TYPING_MS);
});
$("more").addEventListener("click", () => { shown.limit = Math.min(MOST, shown.limit + PORTION); showJobs(); });
$("operator").addEventListener("submit", (event) => { event.preventDefault(); change("retry", "failed", "all"); });
$("token").addEventListener("change", () => { sessionStorage.setItem(TOKEN, $("token").value); shown.seen = ""; tick(); });
document.addEventListener("visibilitychange", tick);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName) && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $("search").focus();
  }
});
$("token").value = sessionStorage.getItem(TOKEN) || "";
showJobs();
tick();
