// What can be done, by mouse and by keys.

const EVERY_MS = 5000;

class Actions {
  constructor(app) {
    this.app = app;
  }

  /** Name the chosen person; an empty name takes it away. */
  async name(text) {
    const { identity } = this.app.view.data;
    if (await this.say("name", { id: identity, name: text })) $("list").focus({ preventScroll: true });
  }

  async same(i) {
    const { data } = this.app.view, one = data && data.alike[i];
    if (!one) return this.app.tell("Nobody is offered as the same.");
    const doubts = this.app.view.isClose(one) ? ["Somebody else is about as near: brothers and sisters are, parents and children, and faces that are turned or blurred."] : [];
    return this.mergeAll([data, one], doubts);
  }

  async different(i) {
    const { data } = this.app.view, one = data && data.alike[i];
    if (!one) return this.app.tell("Nobody is offered as the same.");
    return this.say("different", { id: data.identity, other: one.identity });
  }

  /** Merge those who are ticked; with one, the chosen person. */
  async mergeTicked() {
    const people = this.app.ticked();
    if (people.length < 2) return this.app.tell("Tick two or more people, with x or in front of their portraits.");
    if (await this.mergeAll(people, [])) this.app.untick();
    return undefined;
  }

  /** Merge people into the one who has a name, or else is in most media, or else came first. */
  async mergeAll(people, doubts) {
    const [first, ...others] = [...people].sort((a, b) => (a.name ? 0 : 1) - (b.name ? 0 : 1) || b.media - a.media || a.identity - b.identity);
    if (doubts.length && !(await this.app.ask(doubts))) return false;
    this.app.wanted = first.identity;
    for (const other of others) {
      const done = await this.say("merge", { id: first.identity, other: other.identity, sure: false });
      if (!done) return false;
      if (done.doubts) {
        if (!(await this.app.ask(done.doubts))) return false;
        if (!(await this.say("merge", { id: first.identity, other: other.identity, sure: true }))) return false;
      }
    }
    return true;
  }

  /** Say that the ticked appearances are somebody else's. */
  async split() {
    const { view } = this.app;
    if (!view.data) return undefined;
    if (view.split.size) return this.say("split", { id: view.data.identity, appearances: [...view.split] });
    const box = view.box.querySelector("[data-place]");
    if (box) box.focus();
    return this.app.tell("Tick the appearances that show somebody else, with Space; then press s.");
  }

  undo(event = null) {
    return this.say("undo", { event });
  }

  /** Say something; what the archive answers is shown, also that it refuses and why. */
  async say(what, values) {
    const { app } = this;
    if (!app.source.writes) return app.tell("This page is for reading: it names the commands to type.");
    try {
      const done = await app.source.say(what, values);
      if (done.doubts) return done;
      app.tell(`${done.what[0].toUpperCase()}${done.what.slice(1)}. Event ${done.event}; u takes it back.`);
      if (what === "split") app.view.split.clear();
      await app.refresh();
      return done;
    } catch (error) {
      app.refuse(error, what === "undo" ? "It cannot be undone" : "Not done");
      return null;
    }
  }
}

const KEYS = [
  ["j ↓", "the next person", ["j", "ArrowDown"], (app) => app.step(1)],
  ["k ↑", "the person before", ["k", "ArrowUp"], (app) => app.step(-1)],
  ["PgDn PgUp Home End", "further down and up in the list", ["PageDown", "PageUp", "Home", "End"], (app, key) => app.leap(key)],
  ["/", "search; Enter goes to the list, Esc shows all again", ["/"], () => $("search").focus()],
  ["o", "another order", ["o"], () => $("sort").focus()],
  ["y", "the marked one, who is alike, is the same person", ["y"], (app) => app.act.same(app.view.marked), "writes"],
  ["d", "the marked one is somebody else: never offered again", ["d"], (app) => app.act.different(app.view.marked), "writes"],
  ["→ ←", "mark another of those who are alike", ["ArrowRight", "ArrowLeft"], (app, key) => app.view.mark(key === "ArrowRight" ? 1 : -1)],
  [".", "the next person who has somebody offered", ["."], (app) => app.nextOffered()],
  ["g", "go to the marked one", ["g"], (app) => app.goToMarked()],
  ["n", "name the chosen person; Enter saves, Esc leaves it", ["n"], (app) => app.toName(), "writes"],
  ["x", "tick the chosen person for a merge", ["x"], (app) => app.list.chosen !== null && app.list.tick(app.list.chosen), "writes"],
  ["m", "merge the ticked; with one ticked, with the chosen", ["m"], (app) => app.act.mergeTicked(), "writes"],
  ["s", "go to the appearances; once some are ticked, split them off", ["s"], (app) => app.act.split(), "writes"],
  ["u", "undo the last event; Ctrl z does, too", ["u"], (app) => app.act.undo(), "writes"],
  ["h", "history: each event can be undone there", ["h"], (app) => app.openHistory()],
  ["?", "these keys", ["?"], () => toggle($("help"))],
];

function toggle(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** Whether a key means something else where it is pressed. */
function isTaken({ key, target }) {
  if (target.matches("textarea, input:not([type=checkbox])")) return true;
  if (target.matches("select")) return key.length === 1 || key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(key);
  return key === "PageUp" || key === "PageDown" || key === "Home" || key === "End" ? !target.matches("#list, body") : false;
}

function wireKeys(app) {
  const keys = KEYS.filter(([, , , , needs]) => !needs || app.source.writes);
  $("help").querySelector("dl").append(...keys.flatMap(([text, does]) => [h("dt", {}, ...text.split(" ").map(kbd)), h("dd", {}, does)]), h("dt", {}, kbd("Tab"), kbd("Enter")), h("dd", {}, "everything else"));
  document.addEventListener("keydown", (event) => {
    const { key } = event, open = document.querySelector("dialog[open]");
    if (open && open.id === "ask") return key === "y" && press(event, () => $("ask-yes").click());
    if (open) return (key === "?" && open.id === "help") || (key === "h" && open.id === "log") ? press(event, () => open.close()) : undefined;
    if (event.altKey) return undefined;
    if (event.ctrlKey || event.metaKey) return key === "z" && app.source.writes && !isTaken(event) ? press(event, () => app.act.undo()) : undefined;
    if (isTaken(event)) return undefined;
    const found = keys.find(([, , names]) => names.includes(key));
    return found ? press(event, () => found[3](app, key)) : undefined;
  });
}

function press(event, does) {
  event.preventDefault();
  does();
}
