// What stands beside the player, made anew after every correction.

class View {
  constructor(report, model, player) {
    Object.assign(this, { report, model, player });
    this.chosen = null;
    this.renaming = null;
    this.selected = new Set();
    this.unfolded = new Set();
    document.getElementById("shots").addEventListener("toggle", () => this.shots());
    this.notes();
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
    list.replaceChildren(...this.model.people.map((person) => this.character(person)));
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
    button("save").disabled = !unsaved;
    const list = button("made");
    list.hidden = !made.length;
    list.querySelector("summary").textContent = `${plural(made.length, "correction", "corrections")}${unsaved ? ", not saved" : ", saved"}`;
    list.querySelector("ol").replaceChildren(...made.map((op) => h("li", {}, inWords(op))));
  }

  character(person) {
    const { id } = person;
    const colour = this.model.colourOf(id);
    const item = h("li", { class: "character", "data-person": id, "aria-current": id === this.chosen ? "true" : null },
      this.selector(person), this.portrait(person), this.heading(person), this.actions(person),
      bar(person.intervals, this.report.medium.duration, {
        colour,
        label: `${person.name} is on screen ${plural(person.intervals.length, "time", "times")}`,
        onseek: (time) => this.player.seek(time),
      }),
      this.tracks(person));
    item.style.setProperty("--colour", colour);
    return item;
  }

  selector({ id, name }) {
    if (id === NOBODY) return h("span", {});
    const change = ({ target }) => {
      if (target.checked) this.selected.add(id);
      else this.selected.delete(id);
      this.toolbar();
    };
    const box = h("input", { type: "checkbox", "data-key": `select ${id}`, "aria-label": `Select ${name} to merge`, onchange: change });
    box.checked = this.selected.has(id);
    return box;
  }

  /** The picture of the best track that the person still has, or a silhouette. */
  portrait(person) {
    const { pictures, best } = this.report;
    const track = [best[person.id], ...person.tracks].find((t) => person.tracks.includes(t) && pictures[t]);
    return picture(pictures[track], "portrait");
  }

  heading(person) {
    const { id, name, screen, intervals } = person;
    if (this.renaming === id) return this.renameForm(person);
    const share = this.report.medium.duration ? ` (${percent(screen / this.report.medium.duration)})` : "";
    const facts = [`${length(screen)}${share}`, plural(intervals.length, "appearance", "appearances")];
    const title = person.exact ? null : "as corrected here; exact figures when the corrections are applied";
    return h("button", { class: "go", "data-key": `go ${id}`, title, onclick: () => this.choose(id) },
      h("span", { class: "name" }, name),
      h("span", { class: "facts" }, id === NOBODY ? "unidentified faces" : attributeText(person)),
      h("span", { class: "facts" }, facts.join(" · ")));
  }

  renameForm({ id, name }) {
    const close = () => {
      this.renaming = null;
      this.refresh(`go ${id}`);
    };
    const field = h("input", {
      "aria-label": `New name of ${name}`, "data-key": `name ${id}`, maxlength: 200, autocomplete: "off",
      onkeydown: (event) => event.key === "Escape" && close(),
    });
    field.value = this.model.names.get(id) || "";
    const submit = (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (text !== (this.model.names.get(id) || "")) {
        this.model.make({ op: "rename", person: id, name: text });
        this.say(`${name} is now ${this.model.nameOf(id)}`);
      }
      close();
    };
    return h("form", { class: "rename", onsubmit: submit }, field, h("button", {}, "OK"),
      h("button", { type: "button", onclick: close }, "Cancel"));
  }

  actions({ id, name }) {
    if (id === NOBODY || this.renaming === id) return h("span", {});
    const rename = () => {
      this.renaming = id;
      this.refresh(`name ${id}`);
    };
    return h("button", { class: "small", "data-key": `rename ${id}`, "aria-label": `Rename ${name}`, onclick: rename }, "Rename");
  }

  tracks(person) {
    const { id, tracks } = person;
    const box = h("details", { class: "tracks", open: this.unfolded.has(id) },
      h("summary", { "data-key": `tracks ${id}` }, plural(tracks.length, "track", "tracks")));
    const fill = () => {
      if (!box.open || box.querySelector("ul")) return;
      box.append(h("ul", {}, ...tracks.map((track) => this.track(person, track))));
    };
    box.addEventListener("toggle", () => {
      if (box.open) this.unfolded.add(id);
      else this.unfolded.delete(id);
      fill();
    });
    fill();
    return box;
  }

  track(person, track) {
    const { rows, tracks, pictures } = this.report;
    const all = this.model.trackRows[track];
    const [first, last] = [all[0], all[all.length - 1]].map((row) => lastAtMost(rows.start, row));
    const span = `${clock(rows.time[first])} – ${clock(rows.time[last] + rows.duration[last])}`;
    const number = tracks.id[track];
    const correct = (op, said) => {
      this.model.make({ op, track: number });
      this.say(said);
      this.refresh(`tracks ${person.id}`);
    };
    const alone = person.id !== NOBODY && person.tracks.length === 1;
    const parted = `Track ${number} is a person of its own now`;
    const removed = `Track ${number} is no face any more`;
    return h("li", {}, picture(pictures[track], "thumb"),
      h("button", { class: "link", "aria-label": `Go to track ${number}, ${span}`, onclick: () => this.player.seek(rows.time[first]) }, span),
      h("span", { class: "facts" }, plural(all.length, "face", "faces")),
      alone ? null : h("button", { class: "small", "aria-label": `Split off track ${number}`, onclick: () => correct("split", parted) }, "Split off"),
      h("button", { class: "small", "aria-label": `Track ${number} is not a face`, onclick: () => correct("not_a_face", removed) }, "Not a face"));
  }

  /** Choose a character and go to the first appearance; again, to the one after this time. */
  choose(id) {
    const again = this.chosen === id;
    this.chosen = id;
    for (const item of document.querySelectorAll(".character")) {
      if (Number(item.dataset.person) === id) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
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

function picture(data, kind) {
  if (!data) return h("span", { class: `${kind} missing`, "aria-hidden": "true" });
  return h("img", { class: kind, alt: "", src: `data:image/jpeg;base64,${data}`, loading: "lazy" });
}

function inWords(op) {
  if (op.op === "rename") return op.name ? `person ${op.person} is ${op.name}` : `person ${op.person} has no name`;
  if (op.op === "merge") return `persons ${op.persons.join(", ")} are one: person ${op.persons[0]}`;
  if (op.op === "split") return `track ${op.track} is a person of its own`;
  return `track ${op.track} is not a face`;
}
