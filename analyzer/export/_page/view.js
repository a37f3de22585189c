// What stands beside the player, made anew after every correction.

class View {
  constructor(report, model, player) {
    Object.assign(this, { report, model, player });
    this.chosen = null;
    this.editing = null;
    this.selected = new Set();
    this.unfolded = new Set();
    document.getElementById("shots").addEventListener("toggle", () => this.shots());
    this.here = new Here(this);
    this.drawing = new Drawing(this);
    this.notes();
    document.querySelector("#shares > div").replaceChildren(...sharesCharts(report.shares));
  }

  byId(id) {
    return this.model.people.find((person) => person.id === id);
  }

  /** Make everything anew; the keyboard stays where it was, or goes to `focus`. */
  refresh(focus = null) {
    const held = focus || (document.activeElement && document.activeElement.dataset.key);
    this.selected = new Set([...this.selected].filter((id) => this.model.names.has(id)));
    if (!this.byId(this.chosen)) this.chosen = null;
    this.counts();
    this.toolbar();
    const list = document.getElementById("characters");
    list.replaceChildren(...this.model.people.map((person) => characterCard(this, person)));
    this.filter();
    this.shotsBar();
    this.summary();
    this.shots();
    this.player.at(this.player.time);
    if (held) this.focus(held);
  }

  focus(key) {
    const found = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key);
    if (found) found.focus();
    if (found && found.select) found.select();
  }

  say(text) {
    document.getElementById("said").textContent = text;
  }

  counts() {
    const { medium, rows, shots } = this.report;
    const people = this.model.people.filter((person) => person.id !== NOBODY).length;
    const parts = [
      length(medium.duration),
      `${medium.width} × ${medium.height}`,
      plural(people, "character", "characters"),
      plural(rows.count, "face", "faces"),
      plural(shots.length, "shot", "shots"),
    ];
    document.getElementById("counts").textContent = parts.join(" · ");
  }

  toolbar() {
    const { made, unsaved } = this.model;
    const button = (id) => document.getElementById(id);
    button("merge").disabled = this.selected.size < 2;
    button("merge").textContent = this.selected.size > 1 ? `Merge ${this.selected.size}` : "Merge";
    button("undo").disabled = !made.length;
    button("redo").disabled = !this.model.undone.length;
    button("save").disabled = !unsaved;
    const list = button("made");
    list.hidden = !made.length;
    list.querySelector("summary").textContent = `${plural(made.length, "correction", "corrections")}${unsaved ? ", not saved" : ", saved"}`;
    list.querySelector("ol").replaceChildren(...made.map((op) => h("li", {}, inWords(op))));
  }

  /** Make one correction, and say so. */
  correct(op, focus = null) {
    this.model.make(op);
    this.say(`Corrected: ${inWords(op)}`);
    this.refresh(focus);
  }

  edit(id) {
    if (id === NOBODY || !this.byId(id)) return;
    this.editing = id;
    this.refresh(`name ${id}`);
  }

  /** Say that a track is somebody else from this moment on. */
  splitAt(track) {
    const { rows, tracks } = this.report;
    const all = this.model.trackRows[track];
    const sample = lastAtMost(rows.time, this.player.time + CLOCK_S);
    const later = all.find((row) => row >= rows.start[Math.max(sample, 0)]);
    if (later === undefined || later === all[0]) {
      this.say("Go to the first picture of the other person first: a track is split before it.");
      return;
    }
    const time = rows.time[lastAtMost(rows.start, later)];
    this.correct({ op: "split_at", track: tracks.id[track], time_s: Number(time.toFixed(6)) });
  }

  same(id, other) {
    const [kept, gone] = !this.model.names.get(id) && this.model.names.get(other) ? [other, id] : [id, other];
    this.unfolded.add(`alike ${kept}`);
    if (this.chosen === gone) this.chosen = kept;
    this.correct({ op: "merge", persons: [kept, gone] }, `alike ${kept}`);
  }

  unlike(id, other) {
    this.correct({ op: "not_same", persons: [id, other] }, `alike ${id}`);
  }

  /** Do what a key says with the nearest of the chosen character; first, show who that is. */
  nearest(act) {
    const id = this.chosen;
    if (id === null || id === NOBODY) {
      this.say("Choose a character first");
      return;
    }
    const isShown = this.unfolded.has(`alike ${id}`);
    this.unfolded.add(`alike ${id}`);
    const [first] = this.model.alike(id);
    if (act && isShown && first) act(id, first[0]);
    else this.refresh(`alike ${id}`);
  }

  /** Say something of the chosen character's face in this picture. */
  ofChosenHere(act) {
    const track = this.here.trackOfChosen();
    if (track < 0) this.say("The chosen character is not in this picture");
    else act(track, this.report.tracks.id[track]);
  }

  /** Choose a character without leaving the picture. */
  pick(id) {
    this.mark(id);
    this.here.show();
    const card = document.querySelector(`.character[data-person="${id}"]`);
    if (card) card.scrollIntoView({ block: "nearest" });
  }

  mark(id) {
    this.chosen = id;
    for (const item of document.querySelectorAll(".character")) {
      if (Number(item.dataset.person) === id) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  /** Show only the characters with a name that has the searched text. */
  filter() {
    const wanted = plain(document.getElementById("search").value.trim());
    for (const item of document.querySelectorAll(".character")) {
      item.hidden = !plain(this.byId(Number(item.dataset.person)).name).includes(wanted);
    }
  }

  chooseFound() {
    const first = document.querySelector(".character:not([hidden])");
    if (!first) return;
    this.choose(Number(first.dataset.person));
    this.focus(`go ${first.dataset.person}`);
  }

  /** Choose a character and go to the first appearance; again, to the one after this time. */
  choose(id) {
    const again = this.chosen === id;
    this.mark(id);
    const starts = this.byId(id).intervals.map(([start]) => start);
    this.player.seek((again && starts.find((start) => start > this.player.time + 2 * CLOCK_S)) || starts[0]);
  }

  /** Go to the next (1) or previous (-1) appearance of the chosen character, or of anybody. */
  jump(way) {
    const people = this.chosen === null ? this.model.people : [this.byId(this.chosen)];
    const starts = people.flatMap((p) => p.intervals.map(([start]) => start)).sort((a, b) => a - b);
    const { time } = this.player;
    const found = way > 0
      ? starts.find((start) => start > time + 2 * CLOCK_S)
      : starts.reverse().find((start) => start < time - 2 * CLOCK_S);
    if (found !== undefined) this.player.seek(found);
  }

  merge() {
    if (this.selected.size < 2) return;
    const ids = this.model.people.map((p) => p.id).filter((id) => this.selected.has(id));
    const kept = ids.find((id) => this.model.names.get(id)) ?? ids[0];
    const others = ids.filter((id) => id !== kept);
    const names = others.map((id) => this.model.nameOf(id)).join(", ");
    this.model.make({ op: "merge", persons: [kept, ...others] });
    this.selected.clear();
    this.say(`${names} joined ${this.model.nameOf(kept)}`);
    this.refresh(`go ${kept}`);
  }

  undo() {
    if (!this.model.made.length) return;
    this.say(`Undone: ${inWords(this.model.undo())}`);
    this.refresh();
  }

  redo() {
    if (!this.model.undone.length) return;
    this.say(`Done again: ${inWords(this.model.redo())}`);
    this.refresh();
  }

  shotsBar() {
    const { shots, medium } = this.report;
    const every = (first) => shots.filter((_, i) => i % 2 === first);
    const make = (stretches, colour, label) => bar(stretches, medium.duration, { colour, label, onseek: (t) => this.player.seek(t) });
    const label = plural(shots.length, "shot", "shots");
    const made = make(every(0), "var(--shot)", label);
    const other = make(every(1), "var(--shot-2)", label).querySelector("path");
    made.querySelector("svg").append(other);
    document.getElementById("shots-bar").replaceChildren(h("span", { class: "facts" }, label), made);
  }

  summary() {
    const groups = screenTimeByGroup(this.model.people, this.report.ages);
    const sexes = [...new Set([...groups.values()].flatMap((group) => [...group.keys()]))].sort();
    const most = Math.max(...[...groups.values()].flatMap((group) => [...group.values()]), 1e-9);
    const order = [...this.report.ages.map(({ label }) => label), "unknown"].filter((g) => groups.has(g));
    const cell = (seconds) => {
      const fill = h("span", { class: "fill", "aria-hidden": "true" });
      fill.style.width = `${(60 * seconds) / most}%`;
      return h("td", {}, ...(seconds ? [fill, length(seconds)] : []));
    };
    const row = (group) => h("tr", {}, h("th", { scope: "row" }, group),
      ...sexes.map((sex) => cell(groups.get(group).get(sex) || 0)));
    const head = h("tr", {}, h("th", { scope: "col" }, "age"), ...sexes.map((sex) => h("th", { scope: "col" }, sex)));
    const box = document.querySelector("#summary > div");
    box.replaceChildren(groups.size ? h("table", { class: "chart" }, h("thead", {}, head), h("tbody", {}, ...order.map(row)))
      : h("p", {}, "Nobody is on screen."));
  }

  shots() {
    const { shots } = this.report;
    const details = document.getElementById("shots");
    if (!details.open) return;
    const people = this.model.people.filter((p) => p.id !== NOBODY);
    const seen = (start, end) => people.filter((p) => p.intervals.some(([from, to]) => from < end - SAME_TIME_S && to > start + SAME_TIME_S));
    const rows = shots.map(([start, end], i) => h("tr", {}, h("td", {}, `${i + 1}`),
      h("td", {}, h("button", { class: "link", "aria-label": `Go to shot ${i + 1}`, onclick: () => this.player.seek(start) }, clock(start))),
      h("td", {}, length(end - start)), h("td", { class: "text" }, seen(start, end).map((p) => p.name).join(", "))));
    const head = ["shot", "start", "length", "who"].map((text) => h("th", { scope: "col" }, text));
    details.querySelector("div").replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  }

  notes() {
    const { partial, provenance, medium } = this.report;
    const notes = [...(partial ? [`done in part: ${partial}`] : []), ...this.report.notes];
    document.querySelector("#notes > div").replaceChildren(
      h("p", {}, `Medium: ${medium.uri}`),
      notes.length ? h("ul", {}, ...notes.map((note) => h("li", {}, note))) : h("p", {}, "Nothing was left out."),
      h("pre", { tabindex: 0, "aria-label": "Provenance" }, JSON.stringify(provenance, null, 2)));
  }
}

/** A text without case and accents, to be searched. */
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
