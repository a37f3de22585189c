// The faces of this picture: what can be said of each of them at this moment.

class Here {
  constructor(view) {
    this.view = view;
    this.shown = "";
    this.box = document.getElementById("here");
  }

  /** Show who is in the picture; made anew only where somebody comes or goes. */
  show() {
    const { player, report, model } = this.view;
    const faces = player.faces.map(({ row, person }) => ({ track: report.rows.track[row], person }));
    const now = JSON.stringify([faces, this.view.chosen, model.made.length, faces.map(({ person }) => model.nameOf(person))]);
    if (now === this.shown) return;
    this.shown = now;
    const held = this.box.contains(document.activeElement) && document.activeElement.dataset.key;
    this.box.replaceChildren(...faces.map((face) => this.face(face)));
    if (held) this.view.focus(held);
  }

  face({ track, person }) {
    const { view } = this;
    const number = view.report.tracks.id[track];
    const name = person === NOBODY ? "face" : view.model.nameOf(person);
    const act = (key, text, label, onclick) => h("button", { class: "small", "data-key": `${key} ${number}`, "aria-label": label, onclick }, text);
    const item = h("span", { class: "face", "aria-current": person === view.chosen ? "true" : null },
      act("here", name, `Choose ${name}`, () => view.pick(person)),
      person === NOBODY ? "" : act("not", "Not here", `This is not ${name}`, () => view.correct({ op: "not_this_person", track: number })),
      act("split", "Split here", `Track ${number} is somebody else from here on`, () => view.splitAt(track)),
      act("nothing", "Not a face", `This is not a face, track ${number}`, () => view.correct({ op: "not_a_face", track: number })));
    item.style.setProperty("--colour", view.model.shown.colourOf(person));
    return item;
  }

  /** The smallest face under a point of the stage, in CSS pixels. */
  faceAt(x, y) {
    const { player, report } = this.view;
    const [px, py] = player.toPicture(x, y);
    const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    const under = player.faces.filter(({ box: [x1, y1, x2, y2] }) => px >= x1 && px <= x2 && py >= y1 && py <= y2);
    return under.sort((a, b) => area(a.box) - area(b.box))[0];
  }

  /** Choose the next (1) or previous (-1) face of this picture. */
  step(way) {
    const { player } = this.view;
    const people = player.faces.map(({ person }) => person);
    if (!people.length) return;
    const at = people.indexOf(this.view.chosen);
    const next = at < 0 ? (way > 0 ? 0 : people.length - 1) : (at + way + people.length) % people.length;
    this.view.pick(people[next]);
  }

  /** The track of the chosen person in this picture, as an index; -1 where there is none. */
  trackOfChosen() {
    const { player, report, chosen } = this.view;
    const face = player.faces.find(({ person }) => person === chosen);
    return face ? report.rows.track[face.row] : -1;
  }
}
