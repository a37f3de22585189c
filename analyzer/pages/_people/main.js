// Joins the parts.

const TYPING_MS = 100;
const LOOKED_AT = 100; // people, for one press of a key

class App {
  constructor(facts) {
    this.facts = facts;
    this.source = facts.live ? new LiveSource() : new FileSource(facts);
    this.act = new Actions(this);
    const open = (id) => this.choose(id);
    this.list = new List({ onchoose: (id) => this.look(id), ontick: () => this.showTicked(), load: (ids) => this.source.portraits(ids) });
    this.view = new PersonView({ list: this.list, source: this.source, act: this.act, open, facts });
    this.crowd = null;
    this.wanted = null; // who is to be chosen once the archive is read again
  }

  // What is shown

  async refresh() {
    try {
      this.crowd = new Crowd(await this.source.everybody());
    } catch (error) {
      return this.refuse(error, "The people cannot be read");
    }
    $("operator").hidden = true;
    const { crowd, list } = this;
    put($("sum"), `${plural(crowd.size, "person", "people")}, ${number(crowd.names.size)} with a name`);
    for (const id of list.ticks) if (!crowd.rows.has(id)) list.ticks.delete(id);
    const { last } = crowd;
    $("undo").disabled = !last;
    $("undo").title = last ? `event ${last.event}: ${last.what}` : "nothing was said yet";
    this.find();
    this.showTicked();
    const chosen = [this.wanted, list.chosen].find((id) => crowd.rows.has(id));
    const [first] = list.rows;
    const isMoved = chosen !== list.chosen || this.wanted !== null;
    this.wanted = null;
    await this.show(chosen !== undefined ? chosen : first === undefined ? null : crowd.identity[first], isMoved);
    document.body.dataset.at = crowd.at;
    if (!document.body.dataset.ready) performance.mark("listed");
    document.body.dataset.ready = "true";
    return undefined;
  }

  find() {
    const rows = this.crowd.found($("search").value, $("sort").value);
    this.list.show(this.crowd, rows);
    const all = rows.length === this.crowd.size;
    put($("found"), all ? "" : rows.length ? `${plural(rows.length, "person", "people")} found` : "nobody is called so");
  }

  choose(id) {
    if (this.list.chosen !== id) this.tell("");
    return this.show(id, true);
  }

  async show(id, isRevealed) {
    this.list.choose(id, isRevealed);
    try {
      await this.view.show(id, this.crowd);
    } catch (error) {
      this.refuse(error, `person ${id}`);
    }
  }

  /** Choose somebody, and have them in view where the list is above. */
  look(id) {
    this.choose(id);
    if (matchMedia("(max-width: 52rem)").matches) $("who").scrollIntoView({ block: "start" });
  }

  step(by) {
    const id = this.list.step(by);
    if (id !== null) this.choose(id);
  }

  leap(key) {
    const { list } = this;
    this.step({ PageDown: list.page, PageUp: -list.page, Home: -list.rows.length, End: list.rows.length }[key]);
  }

  /** Choose the next person, of the list, with somebody who is offered as the same. */
  async nextOffered() {
    const { list, crowd } = this, from = (list.place.get(list.chosen) ?? -1) + 1;
    const turn = (this.search = (this.search || 0) + 1);
    let id = null;
    for (const row of list.rows.slice(from, from + LOOKED_AT)) {
      id = crowd.identity[row];
      const data = await this.source.person(id, 1).catch(() => null);
      if (turn !== this.search) return;
      if (data && data.alike.length) {
        this.choose(id);
        return;
      }
    }
    if (id !== null) await this.choose(id);
    this.tell(id === null ? "That was the last person." : "Nobody is offered for these people; press . again for those after them.");
  }

  goToMarked() {
    const { data, marked } = this.view;
    if (data && data.alike[marked]) this.choose(data.alike[marked].identity);
  }

  toName() {
    if (!$("name")) return;
    $("name").focus();
    $("name").select();
  }

  // Ticked people

  ticked() {
    const { list, crowd } = this;
    const ids = new Set(list.ticks);
    if (ids.size === 1 && list.chosen !== null) ids.add(list.chosen);
    return [...ids].map((identity) => ({ identity, name: crowd.names.get(identity), media: crowd.media[crowd.rows.get(identity)] }));
  }

  showTicked() {
    const people = this.ticked();
    $("ticked").hidden = !this.list.ticks.size || !this.source.writes;
    put($("ticked").firstElementChild, people.length < 2 ? "1 ticked: tick another" : `${people.map(({ identity }) => this.crowd.called(identity)).slice(0, 4).join(", ")}${people.length > 4 ? ", …" : ""}: one person?`);
  }

  untick() {
    this.list.ticks.clear();
    this.list.paint();
    this.showTicked();
  }

  // What is said

  tell(text) {
    put($("said"), text);
    this.trouble("");
  }

  trouble(text) {
    for (const id of ["trouble", "refused"]) {
      const isHere = id === "refused" ? $("log").open : !$("log").open;
      put($(id), isHere ? text : "");
      $(id).hidden = !text || !isHere;
    }
  }

  refuse(error, what) {
    if (!(error instanceof Refusal)) throw error;
    put($("said"), "");
    this.trouble(`${what}: ${error.message}.`);
    if (error.status === 401) {
      $("operator").hidden = false;
      $("token").focus();
    }
  }

  /** Ask whether two are one all the same; returns the answer. */
  ask(doubts) {
    const dialog = $("ask");
    dialog.querySelector("ul").replaceChildren(...doubts.map((text) => h("li", {}, text)));
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
  }

  async openHistory() {
    if ($("log").open) return $("log").close();
    await this.drawHistory();
    $("log").showModal();
    return this.focusUndo();
  }

  async drawHistory() {
    let lines;
    try {
      lines = await this.source.history();
    } catch (error) {
      return this.refuse(error, "The history cannot be read");
    }
    const undo = ({ event, holds }) => holds && this.source.writes && h("button", { type: "button", "data-key": `undo ${event}`, "aria-label": `undo event ${event}`, onclick: () => this.undoThere(event) }, "Undo");
    const row = (line) => h("tr", { class: line.holds ? null : "gone" }, h("td", { class: "n" }, number(line.event)), h("td", {}, line.what, line.holds ? "" : h("span", { class: "hint" }, " (undone)")), h("td", {}, line.by), h("td", { class: "when" }, line.at.slice(0, 16).replace("T", " ")), h("td", {}, undo(line) || ""));
    const note = lines.length === LINES ? "identities history --limit N prints what was said before." : lines.length ? "" : "Nothing was said yet.";
    $("log").querySelector("tbody").replaceChildren(...lines.map(row), note ? h("tr", {}, h("td", { colspan: 5, class: "hint" }, note)) : "");
    return undefined;
  }

  async undoThere(event) {
    if (await this.act.undo(event)) {
      await this.drawHistory();
      this.focusUndo();
    }
  }

  /** Go to the first event that can be undone. */
  focusUndo() {
    ($("log").querySelector("tbody button") || $("log").querySelector("[data-close]")).focus();
  }

  // What changes meanwhile

  async watch() {
    if (this.crowd && !document.hidden && !document.querySelector("dialog[open]")) {
      try {
        const { at } = await this.source.at();
        if (at !== this.crowd.at) await this.refresh();
      } catch { /* the next action tells */ }
    }
    setTimeout(() => this.watch(), EVERY_MS);
  }

  wire() {
    let typing = 0;
    $("search").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.find(), TYPING_MS);
    });
    $("search").addEventListener("keydown", ({ key }) => {
      if (key === "Escape") $("search").value = "";
      if (key !== "Escape" && key !== "Enter") return;
      clearTimeout(typing);
      this.find();
      $("list").focus();
      if (key === "Enter" && this.list.place.get(this.list.chosen) === undefined) this.step(0);
    });
    $("sort").addEventListener("change", () => {
      this.find();
      this.list.reveal();
    });
    document.addEventListener("keydown", ({ key, target }) => {
      if (key !== "Escape" || target.id !== "name") return;
      target.value = this.view.data.name || "";
      $("list").focus();
    });
    $("list").addEventListener("keydown", (event) => event.key === "Enter" && press(event, () => $("who").focus()));
    $("undo").addEventListener("click", () => this.act.undo());
    $("history").addEventListener("click", () => this.openHistory());
    $("keys").addEventListener("click", () => toggle($("help")));
    $("merge").addEventListener("click", () => this.act.mergeTicked());
    $("untick").addEventListener("click", () => this.untick());
    $("ask-yes").addEventListener("click", () => $("ask").close("yes"));
    $("ask-no").addEventListener("click", () => $("ask").close(""));
    for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
    $("log").addEventListener("close", () => this.trouble(""));
    $("operator").addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, $("token").value.trim());
      this.tell("");
      this.refresh();
    });
    wireKeys(this);
  }
}

function main() {
  const app = (window.app = new App(JSON.parse($("facts").textContent))); // for tests and for the curious
  const { facts, source } = app;
  document.body.classList.toggle("reading", !source.writes);
  for (const element of document.querySelectorAll(".writes")) element.hidden = !source.writes || element.id === "ticked";
  put($("limits"), facts.live ? "" : `This file has ${plural(facts.limits.people, "person", "people")}, portraits of ${number(facts.limits.portraits)}, of those in most media, and of who is like them, and appearances and nearest others of the ${number(facts.limits.in_full)} in most media. identities serve shows all.`);
  app.wire();
  app.refresh();
  if (facts.live) setTimeout(() => app.watch(), EVERY_MS);
}

// After the first picture: the frame of the page is there before all people are read.
requestAnimationFrame(() => setTimeout(main));
