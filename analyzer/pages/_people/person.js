// The chosen person: portraits, name, who is alike, and where they were seen.

const CLOSE = 0.05; // margin below which somebody else is about as near: siblings are, and children and parents
const PORTRAITS = 6;

class PersonView {
  /** @param act what can be done, @param open called with the number of another person. */
  constructor({ list, source, act, open, facts }) {
    Object.assign(this, { list, source, act, open, facts });
    this.box = $("who");
    this.data = null;
    this.marked = 0;
    this.split = new Set();
  }

  /** Show somebody; what had the focus keeps it where it is still there. */
  async show(id, crowd) {
    const turn = (this.turn = (this.turn || 0) + 1);
    if (id === null) {
      this.data = null;
      this.box.replaceChildren(h("h2", { id: "name-of", class: "hint" }, crowd.size ? "Choose a person" : "Nobody is in this archive yet"));
      return;
    }
    const isSame = this.data && this.data.identity === id;
    const data = await this.source.person(id, this.limit(id));
    if (turn !== this.turn) return;
    this.data = data || this.short(id, crowd);
    if (!isSame) {
      this.marked = 0;
      this.box.scrollTop = 0;
    }
    const places = new Set(this.data.seen_in.map(({ appearance }) => appearance));
    this.split = new Set([...this.split].filter((place) => isSame && places.has(place)));
    this.marked = Math.min(this.marked, Math.max(0, this.data.alike.length - 1));
    this.draw(crowd);
    await this.addPictures(turn);
  }

  limit(id) {
    return this.all === id ? 10000 : 0;
  }

  /** What the list knows of somebody, where the file has no more. */
  short(identity, crowd) {
    const row = crowd.rows.get(identity);
    const value = (name) => crowd[name][row];
    return {
      identity, name: crowd.names.get(identity) || null, media: value("media"), faces: value("faces"), screen_time_s: value("screen_time_s"),
      first_date: date(value("first_day")), last_date: date(value("last_day")), members: [identity], seen_in: [], alike: [], isShort: true,
    };
  }

  draw(crowd) {
    this.crowd = crowd;
    const focus = this.box.contains(document.activeElement) && document.activeElement.dataset.key;
    const typed = focus === "name" ? document.activeElement.value : null;
    this.box.replaceChildren(this.head(), ...this.naming(), ...this.alike(), ...this.appearances(), ...this.commands());
    if (typed !== null) $("name").value = typed;
    const again = focus && this.box.querySelector(`[data-key="${focus}"]`);
    if (again) again.focus({ preventScroll: true });
  }

  head() {
    const { data } = this, others = data.members.slice(1);
    const facts = [
      ["media", number(data.media)], ["on screen", clock(data.screen_time_s)], ["faces", number(data.faces)],
      ["seen", span(data.first_date, data.last_date) || "at no known date"],
    ];
    return h("div", { class: "head" },
      h("div", { class: "portraits" }, portrait(this.list.portraits.get(data.identity), "portrait large")),
      h("div", {},
        h("h2", { id: "name-of" }, data.name || `person ${data.identity}`),
        h("p", { class: "facts" }, `number ${data.identity}${others.length ? `, with ${others.join(", ")}` : ""}`),
        h("dl", { class: "figures" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))))));
  }

  naming() {
    if (!this.source.writes) return [];
    const box = h("input", { id: "name", "data-key": "name", maxlength: 200, autocomplete: "off", spellcheck: "false", value: this.data.name || "" });
    const save = (event) => {
      event.preventDefault();
      this.act.name(box.value);
    };
    return [h("form", { class: "line", onsubmit: save }, h("label", { class: "grow" }, h("span", { class: "visually-hidden" }, "Name"), box),
      h("button", { "data-key": "save name", "aria-keyshortcuts": "n" }, "Name ", kbd("n")))];
  }

  alike() {
    const { alike, isShort } = this.data;
    if (isShort) return [];
    const cards = alike.map((one, i) => this.card(one, i));
    const none = `Nobody is nearer than ${(this.facts.reach * this.crowd.threshold).toFixed(2)}. Who was said to be different, or is in one medium with this person, is never offered.`;
    return [h("h3", { id: "h-alike" }, "Who is alike, the nearest first"),
      cards.length ? h("ol", { id: "alike", "aria-labelledby": "h-alike" }, ...cards) : h("p", { class: "hint" }, none)];
  }

  card(one, i) {
    const marked = i === this.marked, name = one.name || `person ${one.identity}`, { writes } = this.source;
    const button = (key, text, label, does) => writes && h("button", { type: "button", "data-key": `${key} ${one.identity}`, "aria-label": label, "aria-keyshortcuts": marked && key[0] === "s" ? "y" : marked ? "d" : null, onclick: does }, text, marked ? kbd(key[0] === "s" ? "y" : "d") : "");
    return h("li", { class: marked ? "card marked" : "card", "aria-current": marked ? "true" : null, "data-alike": one.identity },
      portrait(this.list.portraits.get(one.identity)),
      h("div", { class: "words" },
        h("button", { type: "button", class: "link", "data-key": `open ${one.identity}`, onclick: () => this.open(one.identity) }, name),
        h("span", { class: "facts" }, `${plural(one.media, "medium", "media")}, ${clock(one.screen_time_s)}, ${span(one.first_date, one.last_date)}`),
        h("span", { class: this.isClose(one) ? "facts close" : "facts" }, this.says(one))),
      h("div", { class: "answers" },
        button("same", "Same ", `${name} is the same person`, () => this.act.same(i)) || "",
        button("different", "Different ", `${name} is somebody else`, () => this.act.different(i)) || ""));
  }

  isClose({ margin }) {
    return margin !== null && margin < CLOSE;
  }

  /** How near somebody is, and whether somebody else is about as near. */
  says(one) {
    const how = `distance ${one.distance.toFixed(2)}${one.distance < this.crowd.threshold ? ", within the threshold" : ""}`;
    if (one.margin === null) return how;
    if (one.margin < 0) return `${how}; somebody else is nearer by ${(-one.margin).toFixed(2)}`;
    if (this.isClose(one)) return `${how}; somebody else is about as near`;
    return `${how}; the next is ${one.margin.toFixed(2)} farther`;
  }

  appearances() {
    const { data } = this;
    if (data.isShort) return [];
    const { writes } = this.source;
    const row = (one) => h("tr", {},
      writes && h("td", {}, h("input", { type: "checkbox", "data-key": `tick ${one.appearance}`, "data-place": one.appearance, checked: this.split.has(one.appearance), "aria-label": `${one.medium}, person ${one.person_id}`, onchange: ({ target }) => this.tick(one.appearance, target.checked) })) || "",
      writes && h("td", { class: "face", "data-face": one.appearance }) || "", h("td", { class: "medium" }, ...medium(one.medium)), h("td", { class: "when" }, one.date || ""), h("td", { class: "n" }, clock(one.screen_time_s)), h("td", { class: "n" }, number(one.faces)));
    const more = data.appearances - data.seen_in.length;
    return [h("h3", {}, `Seen ${plural(data.appearances, "time")}`),
      writes && h("p", { class: "line", id: "splitting" }, h("button", { type: "button", "data-key": "split", "aria-keyshortcuts": "s", disabled: data.appearances < 2, onclick: () => this.act.split() }, "Split the ticked off ", kbd("s")), h("span", { class: "hint" }, data.appearances < 2 ? "There is only one." : "Tick those that show somebody else.")) || "",
      h("div", { class: "wide" }, h("table", { id: "seen" }, h("thead", {}, h("tr", {}, ...["somebody else", "portrait"].map((text) => writes && h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, text)) || ""), h("th", { scope: "col" }, "medium"), h("th", { scope: "col" }, "date"), h("th", { scope: "col", class: "n" }, "time"), h("th", { scope: "col", class: "n" }, "faces"))), h("tbody", {}, ...data.seen_in.map(row)))),
      more > 0 ? this.rest(more) : ""];
  }

  rest(more) {
    if (!this.source.writes) return h("p", { class: "hint" }, `and ${plural(more, "more time")}`);
    return h("p", {}, h("button", { type: "button", "data-key": "all", onclick: () => { this.all = this.data.identity; this.show(this.data.identity, this.crowd); } }, `Show ${number(more)} more`));
  }

  tick(place, isTicked) {
    if (isTicked) this.split.add(place);
    else this.split.delete(place);
  }

  /** What is to be typed where the page is for reading. */
  commands() {
    if (this.source.writes) return [];
    const { data } = this, line = (part, rest) => h("li", {}, h("code", {}, `${this.facts.command.replace("{}", part)}${rest}`));
    const [nearest] = data.alike;
    const other = nearest ? nearest.identity : "OTHER";
    const place = data.seen_in.length > 1 ? data.seen_in[data.seen_in.length - 1].appearance : "CALL:ROW";
    return [h("h3", {}, "To put it right"),
      h("p", { class: "hint" }, "This page is for reading. ", data.isShort ? `It has appearances and nearest others of ${number(this.facts.limits.in_full)} people, those in most media. ` : "", "On the machine of the archive, ", h("code", {}, "identities serve"), " opens it for corrections; or type:"),
      h("ul", { class: "commands" }, data.isShort ? line("show", ` ${data.identity}`) : "", line("name", ` ${data.identity} "NAME"`), line("merge", ` ${data.identity} ${other}`), line("different", ` ${data.identity} ${other}`), line("split", ` ${data.identity} ${place}`), line("undo", ""))];
  }

  async addPictures(turn) {
    const { data } = this, people = [data.identity, ...data.alike.map(({ identity }) => identity)];
    await this.list.portraitsOf(people);
    if (turn !== this.turn) return;
    const places = data.seen_in.map(({ appearance }) => appearance).slice(0, 200);
    let pictures = {};
    try {
      pictures = places.length ? await this.source.pictures(places) : {};
    } catch { /* portraits are no more than a help */ }
    if (turn !== this.turn) return;
    for (const cell of this.box.querySelectorAll("[data-alike]")) cell.querySelector(".portrait").replaceWith(portrait(this.list.portraits.get(Number(cell.dataset.alike))));
    const shown = places.map((place) => pictures[place]).filter(Boolean).slice(0, PORTRAITS);
    const large = shown.length ? shown : [this.list.portraits.get(data.identity)];
    this.box.querySelector(".portraits").replaceChildren(...large.map((jpeg, i) => portrait(jpeg, i ? "portrait" : "portrait large")));
    for (const cell of this.box.querySelectorAll("[data-face]")) {
      const jpeg = pictures[cell.dataset.face];
      if (jpeg) cell.replaceChildren(portrait(jpeg, "portrait small"));
    }
  }

  /** Mark the next (1) or previous (-1) of those who are alike. */
  mark(by) {
    if (!this.data || !this.data.alike.length) return;
    this.marked = Math.min(this.data.alike.length - 1, Math.max(0, this.marked + by));
    this.draw(this.crowd);
    this.addPictures(this.turn);
    const [card] = this.box.getElementsByClassName("marked");
    if (card) card.scrollIntoView({ block: "nearest" });
  }
}

function medium(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [h("span", { class: "file" }, path.slice(cut) || path || "no medium"), h("span", { class: "folder" }, path.slice(0, cut))];
}
